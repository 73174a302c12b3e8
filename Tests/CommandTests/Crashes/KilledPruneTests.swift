#if DATABUDGIE_FAIL_POINTS
    import DatabudgieTestSupport
    import Foundation
    import Postgres
    import Storage
    import Testing

    @testable import Databudgie

    @Suite("Prunes and verifications that are killed", .timeLimit(.minutes(15)))
    struct KilledPruneTests {
        /// One file for each set, and one that all of them name.
        private static let yaml = """
            retention: {keep_last: 1}
            tables: [public.own, {name: public.shared, filename: 'once.{ext}', skip_if_exists: true}]
            """

        static let removals: [CrashMoment] =
            [.removalUnmarked, .removalMarked, .recordRemoved, .filesRemoved, .removalFinished].flatMap {
                [CrashMoment(point: $0), CrashMoment(point: $0, count: 3)]
            }

        static let orphans: [CrashMoment] = [.orphansUnremoved, .orphanFilesRemoved, .orphansRemoved].map {
            CrashMoment(point: $0)
        }

        static let leftovers: [CrashMoment] = [.leftoverUnremoved, .leftoverRemoved].map { CrashMoment(point: $0) }

        static let results: [CrashMoment] = [.resultUnstored, .resultStored].map { CrashMoment(point: $0) }

        static let drills: [CrashMoment] = [
            .scratchDatabaseUncreated, .scratchDatabaseCreated, .scratchDatabaseFilled, .scratchDatabaseRemoved,
        ].map { CrashMoment(point: $0) }

        private func id(_ day: Int) -> String { "2026-01-0\(day)T03:00:00" }

        /// A site with a set of each of four days, all of one content.
        private func withSets(
            _ kind: StorageUnderTest,
            on server: PostgresServer? = nil,
            _ body: (CrashSite, Configuration, _ makeSets: () async throws -> Void) async throws -> Void
        ) async throws {
            try await CrashSite.with(kind, on: server) { site in
                try await site.execute(
                    site.source,
                    "create table own as select 1 as id; create table shared as select 2 as id;"
                )
                let configuration = try site.configure(Self.yaml)
                let moment = try Date(id(1) + "Z", strategy: .iso8601)
                let report = try await BackupRun(configuration, environment: site.environment(moment)).run()
                #expect(report.set == id(1))
                let catalog = try site.catalog(configuration)
                let record = String(decoding: try await catalog.bytes(of: catalog.recordPath(of: id(1))), as: UTF8.self)
                let file = site.root.appending("public.own/\(id(1)).csv")
                let rows = try await site.storage.read(file).reduce(into: []) { $0 += $1 }
                try await body(site, configuration) {
                    for day in 1...4 {
                        let own = site.root.appending("public.own/\(id(day)).csv")
                        let text = record.replacing(id(1), with: id(day))
                        for (path, bytes) in [(own, rows), (catalog.recordPath(of: id(day)), Array(text.utf8))] {
                            _ = try await site.storage.write(path, ifExists: .replace, from: SingleChunk(bytes))
                        }
                    }
                }
            }
        }

        @Test(
            "Sets that are listed are whole, the newest stays, and a second prune does the rest",
            arguments: removals,
            StorageUnderTest.allCases
        )
        func removal(moment: CrashMoment, kind: StorageUnderTest) async throws {
            try await withSets(kind) { site, configuration, makeSets in
                let catalog = try site.catalog(configuration)
                for ending in CrashSite.Ending.allCases {
                    try await makeSets()
                    let outcome = try await site.run("prune", "--yes", until: moment.point, ending, count: moment.count)
                    try await site.expectWholeSets(configuration)
                    let left = try await catalog.entries().filter { $0.record != nil }.map(\.id)
                    #expect(left.first == id(4))
                    site.expect(ending, outcome, isDone: left.count == 1)
                    // The set at hand is removed wholly.
                    if ending == .term { #expect(try await catalog.entries().allSatisfy { $0.running == nil }) }
                }
                let next = try await site.run("prune", "--yes")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await catalog.entries().filter { $0.record != nil }.map(\.id) == [id(4)])
                try await site.removeOrphans(configuration)
                try await site.expectNothingElse(configuration)
                try await site.expectWholeSets(configuration)
            }
        }

        @Test("Orphans are removed again, whenever their removal was killed", arguments: orphans)
        func orphanRemoval(moment: CrashMoment) async throws {
            try await withSets(.local) { site, configuration, makeSets in
                let catalog = try site.catalog(configuration)
                for ending in CrashSite.Ending.allCases {
                    try await makeSets()
                    // A run that was killed two days ago has left a file and its mark.
                    let broken = "2026-01-03T12:00:00"
                    let mark = RunningMark(id: broken, startedAt: try Date(broken + "Z", strategy: .iso8601))
                    #expect(try await catalog.claim(mark))
                    let file = site.root.appending("public.own/\(broken).csv")
                    _ = try await site.storage.write(file, ifExists: .fail, from: SingleChunk(Array("id\n".utf8)))
                    for path in [file, catalog.runningPath(of: broken)] {
                        let attributes = [FileAttributeKey.modificationDate: mark.startedAt]
                        try FileManager.default.setAttributes(attributes, ofItemAtPath: path.description)
                    }
                    let outcome = try await site.run("prune", "--orphans", "--yes", until: moment.point, ending)
                    site.expect(ending, outcome, isDone: moment.point == .orphansRemoved)
                    try await site.expectWholeSets(configuration)
                    let next = try await site.run("prune", "--orphans", "--yes")
                    #expect(next.status == 0, "\(next.error)")
                    try await site.expectNothingElse(configuration)
                }
            }
        }

        @Test("A cleanup that was killed is finished by the next one", arguments: leftovers)
        func cleanup(moment: CrashMoment) async throws {
            try await withSets(.local) { site, configuration, makeSets in
                try await makeSets()
                for ending in CrashSite.Ending.allCases {
                    for number in 1...2 {
                        let path = site.root.appending("public.own/.\(id(4)).csv.1a2\(number).partial").description
                        try Data("rows".utf8).write(to: URL(filePath: path))
                        let attributes = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_767_323_045)]
                        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
                    }
                    let outcome = try await site.run("cleanup", "--yes", until: moment.point, ending)
                    site.expect(ending, outcome)
                    try await site.expectWholeSets(configuration)
                    let next = try await site.run("cleanup", "--yes")
                    #expect(next.status == 0, "\(next.error)")
                    try await site.expectNothingElse(configuration)
                }
            }
        }

        @Test(
            "A verification that was killed leaves its set as it is, with the whole result or none",
            arguments: results,
            StorageUnderTest.allCases
        )
        func verification(moment: CrashMoment, kind: StorageUnderTest) async throws {
            try await withSets(kind) { site, configuration, makeSets in
                try await makeSets()
                let catalog = try site.catalog(configuration)
                for ending in CrashSite.Ending.allCases {
                    try await site.storage.delete([catalog.verificationPath(of: id(4))])
                    let outcome = try await site.run("verify", id(4), "--level", "rows", until: moment.point, ending)
                    site.expect(ending, outcome, isDone: true)
                    let stored = try await site.storage.info(catalog.verificationPath(of: id(4)))
                    #expect((stored != nil) == (moment.point == .resultStored))
                    #expect(try await catalog.verification(id(4))?.status == (stored == nil ? nil : .ok))
                }
                let next = try await site.run("verify", id(4), "--level", "rows")
                #expect(next.status == 0, "\(next.error)")
                try await site.removeOrphans(configuration)
                try await site.expectNothingElse(configuration)
            }
        }

        @Test("A drill that was killed leaves its set as it is, and its database at most")
        func drill() async throws {
            try await PostgresServer.withServer { server in
                try await withSets(.local, on: server) { site, configuration, makeSets in
                    try await makeSets()
                    let scratch = "select datname from pg_database where datname ~ '^databudgie_drill_'"
                    for moment in Self.drills {
                        for ending in CrashSite.Ending.allCases {
                            let outcome = try await site.run(
                                "verify",
                                id(4),
                                "--level",
                                "restore",
                                until: moment.point,
                                ending
                            )
                            site.expect(ending, outcome, isDone: true)
                            let left = try await site.values(site.source, scratch)
                            let isThere = [.scratchDatabaseCreated, .scratchDatabaseFilled].contains(moment.point)
                            #expect(left.count == (isThere && ending != .term ? 1 : 0), "\(moment): \(left)")
                            for name in left {
                                try await site.execute(
                                    site.source,
                                    "drop database \(quotedIdentifier(name)) with (force)"
                                )
                            }
                            try await site.expectWholeSets(configuration)
                        }
                    }
                    let next = try await site.run("verify", id(4), "--level", "restore")
                    #expect(next.status == 0, "\(next.error)")
                    #expect(try await site.values(site.source, scratch).isEmpty)
                }
            }
        }
    }
#endif
