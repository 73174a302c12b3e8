#if DATABUDGIE_FAIL_POINTS
    import DatabudgieTestSupport
    import Foundation
    import Postgres
    import Storage
    import Testing

    @testable import Databudgie

    @Suite("Backups that are killed", .timeLimit(.minutes(15)))
    struct KilledBackupTests {
        /// Definitions, sequences, the manifest, and a file that each run replaces.
        private static let yaml = """
            ddl: true
            manifest: public.databudgie_manifest
            tables: [public.customers, public.orders, {name: public.single, filename: 'now.{ext}'}]
            """

        private static let schema = """
            create table customers (id int generated always as identity primary key, name text);
            create table orders (id serial primary key, customer_id int references customers);
            create table single (id int primary key);
            insert into customers (name) select 'customer ' || n from generate_series(1, 20) n;
            insert into orders (customer_id) select n % 20 + 1 from generate_series(1, 50) n;
            """

        static let moments: [CrashMoment] =
            [
                .setUnclaimed, .setClaimed, .definitionUnwritten, .definitionWritten, .sequencesUnwritten,
                .sequencesWritten,
                .rowsArrived, .dataFileUnpublished, .dataFilePublished, .manifestRowUnwritten, .manifestRowWritten,
                .recordUnwritten, .recordWritten, .markRemoved, .olderSetUnmarked, .olderSetMarked,
            ].map { CrashMoment(point: $0) }
            + [.definitionWritten, .rowsArrived, .dataFileUnpublished, .dataFilePublished, .manifestRowWritten].map {
                CrashMoment(point: $0, count: 3)
            }

        @Test(
            "Every set that is listed is whole, the next backup succeeds, and what is left of the broken one can be removed",
            arguments: moments,
            StorageUnderTest.allCases
        )
        func everyPoint(moment: CrashMoment, kind: StorageUnderTest) async throws {
            try await expectWholeSets(moment, kind, Self.schema, Self.yaml)
        }

        /// So many that small files are published while others are read.
        private static let manyTables =
            "create table single (id int primary key);"
            + (1...36).map { number in
                """
                create table many\(number) (id serial primary key, name text);
                insert into many\(number) (name) select 'name ' || n from generate_series(1, \(number)) n;
                """
            }.joined()

        @Test(
            "So are those of a backup that publishes files while it reads others",
            arguments: [
                .sequencesUnwritten, .sequencesWritten, .dataFileUnpublished, .dataFilePublished, .manifestRowUnwritten,
                .manifestRowWritten,
            ].map { CrashMoment(point: $0, count: 5) },
            StorageUnderTest.allCases
        )
        func whilePublishing(moment: CrashMoment, kind: StorageUnderTest) async throws {
            let yaml = """
                manifest: public.databudgie_manifest
                tables: ['public.many*', {name: public.single, filename: 'now.{ext}'}]
                """
            try await expectWholeSets(moment, kind, Self.manyTables, yaml)
        }

        private func expectWholeSets(
            _ moment: CrashMoment,
            _ kind: StorageUnderTest,
            _ schema: String,
            _ yaml: String
        ) async throws {
            try await CrashSite.with(kind) { site in
                try await site.execute(site.source, schema)
                let configuration = try site.configure(yaml)
                _ = try await ManifestCreation(configuration, for: .backup).run()
                // A signal that can be handled leaves nothing behind: it comes first.
                for ending in [.term, .kill, .intTwice] as [CrashSite.Ending] {
                    try await site.execute(site.source, "insert into single select count(*) from single")
                    let whole = try await BackupRun(configuration, environment: site.environment()).run()
                    #expect(whole.failed.isEmpty)
                    try await site.execute(site.source, "insert into single select count(*) from single")

                    let outcome = try await site.run("backup", until: moment.point, ending, count: moment.count)
                    let newest = try await site.catalog(configuration).entries().first { $0.record != nil }?.id
                    site.expect(ending, outcome, isDone: newest != whole.set)
                    try await site.expectWholeSets(configuration)
                    if ending == .term { try await site.expectNothingElse(configuration) }
                }
                let next = try await site.run("backup")
                #expect(next.status == 0, "\(next.error)")
                try await site.expectWholeSets(configuration)
                try await site.removeOrphans(configuration)
                try await site.expectNothingElse(configuration)
                try await site.expectWholeSets(configuration)
            }
        }

        /// A day later a cleanup leaves nothing unfinished, and the next backup succeeds.
        private func expectNextBackup(afterCleanupOf site: CrashSite, _ configuration: Configuration) async throws {
            let later = site.environment(Date(timeIntervalSinceNow: 2 * Cleanup.age))
            let cleanup = Cleanup(configuration, environment: later)
            try await cleanup.remove(try await cleanup.find())
            #expect(try await site.storage.unfinishedWrites(site.root, before: .distantFuture).isEmpty)
            let next = try await site.run("backup")
            #expect(next.status == 0, "\(next.error)")
        }

        static let ranges: [CrashMoment] = [
            CrashMoment(point: .rangeWritten), CrashMoment(point: .rangeWritten, count: 4),
            CrashMoment(point: .dataFileUnpublished), CrashMoment(point: .dataFilePublished),
        ]

        @Test(
            "A table that is exported in ranges is there as a whole or not at all, and what is left can be removed",
            arguments: ranges,
            StorageUnderTest.allCases
        )
        func largeTable(moment: CrashMoment, kind: StorageUnderTest) async throws {
            try await CrashSite.with(kind) { site in
                try await site.execute(
                    site.source,
                    """
                    create table large (id serial primary key, text text);
                    insert into large (text) select repeat(md5(n::text), 4) from generate_series(1, 9000) n
                    """
                )
                let configuration = try site.configure("jobs: 2\ntables: [public.large]")
                // Something to verify even if all of the others are killed before their ends.
                _ = try await BackupRun(configuration, environment: site.environment()).run()
                for ending in [.term, .kill, .intTwice] as [CrashSite.Ending] {
                    let outcome = try await site.run(
                        "backup",
                        until: moment.point,
                        ending,
                        count: moment.count,
                        rangeSize: 64 << 10
                    )
                    site.expect(ending, outcome, isDone: moment.point == .dataFilePublished)
                    try await site.expectWholeSets(configuration)
                    if ending == .term { try await site.expectNothingElse(configuration) }
                }
                try await expectNextBackup(afterCleanupOf: site, configuration)
                try await site.removeOrphans(configuration)
                try await site.expectNothingElse(configuration)
                try await site.expectWholeSets(configuration)
            }
        }

        @Test(
            "Parts of an upload that was killed are found and removed a day later",
            arguments: CrashSite.Ending.allCases
        )
        func upload(ending: CrashSite.Ending) async throws {
            try await CrashSite.with(.s3) { site in
                try await site.execute(
                    site.source,
                    """
                    create table wide as
                        select n, (select string_agg(md5(n::text || m), '') from generate_series(1, 32) m) as text
                        from generate_series(1, 24000) n
                    """
                )
                let configuration = try site.configure("tables: [public.wide]")
                let outcome = try await site.run("backup", until: .rowsArrived, ending, count: 80)
                site.expect(ending, outcome)
                let entries = try await site.catalog(configuration).entries()
                #expect(entries.allSatisfy { $0.record == nil })
                let writes = try await site.storage.unfinishedWrites(site.root, before: .distantFuture)
                #expect(writes.count == (ending == .term ? 0 : 1))
                try await expectNextBackup(afterCleanupOf: site, configuration)
            }
        }
    }
#endif
