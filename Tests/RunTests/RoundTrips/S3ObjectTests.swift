import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Runs whose files S3 is to keep in a certain way", .timeLimit(.minutes(5)))
struct S3ObjectTests {
    /// A database, a folder in S3, and a proxy that sees all requests.
    private struct Site {
        let fixture: RunFixture
        let folder: StoragePath
        let proxy: FaultProxy
        let server: S3Server

        func configuration(_ change: (inout S3Options) -> Void = { _ in }) throws -> Configuration {
            var configuration = try fixture.configuration(
                "{root_location: '\(folder)', location: '{table}', ddl: true, retention: {keep_last: 1}, "
                    + "tables: [public.a, public.b]}"
            )
            var options = server.options(endpoint: proxy.endpoint)
            change(&options)
            configuration.backup.run.s3 = options
            configuration.restore.run.s3 = options
            return configuration
        }

        /// Sets of the last days, one a day.
        func backUp(days: Int, _ configuration: Configuration) async throws -> [String] {
            var sets: [String] = []
            for day in (1...days).reversed() {
                let now = Date(timeIntervalSinceNow: -Double(day) * 86_400)
                let report = try await BackupRun(configuration, environment: RunEnvironment(variables: [:], now: now))
                    .run()
                #expect(report.failed.map(\.message) == [])
                sets.append(try #require(report.set))
            }
            return sets
        }
    }

    private let environment = RunEnvironment(
        variables: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    )

    private func withSite(_ body: @Sendable @escaping (Site) async throws -> Void) async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (id serial primary key, x text);
                create table b (id int primary key);
                insert into a (x) select repeat('x', 100) from generate_series(1, 1000);
                insert into b select generate_series(1, 10);
                """
            )
            try await server.withFolder { folder in
                try await FaultProxy.withProxy(to: server.endpoint) { proxy async throws in
                    try await body(Site(fixture: fixture, folder: folder, proxy: proxy, server: server))
                }
            }
        }
    }

    @Test("Data files alone are of the storage class; all files are encrypted and have the tags, and are restored")
    func classes() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration { options in
                options.storageClass = "GLACIER"
                options.serverSideEncryption = .kms
                options.kmsKeyID = "testkey"
                options.tags = [S3Options.Tag("team", "data")]
                options.requestPayer = .requester
            }
            let set = try await site.backUp(days: 1, configuration).first
            let writes = site.proxy.requests.filter { $0.method == "PUT" && !$0.target.contains("partNumber=") }
            let archived = writes.filter { $0.headers.contains("x-amz-storage-class") }
            // One write is repeated, to learn whether the server refuses to replace files.
            #expect(Set(archived.map(\.target)).count == 2 && archived.allSatisfy { $0.target.contains(".csv") })
            // The mark, the record, the definitions of two tables and their list, the values of a sequence.
            let others = writes.filter { !$0.headers.contains("x-amz-storage-class") }.map(\.target)
            for part in [".running", ".json", "/ddl/", "/sequences/"] {
                #expect(others.contains { $0.contains(part) }, "\(part) in \(others)")
            }
            for name in ["x-amz-server-side-encryption", "x-amz-tagging", "x-amz-request-payer"] {
                #expect(writes.allSatisfy { $0.headers.contains(name) }, "\(name)")
            }
            // Before the first row it was tried whether the server has the class.
            let check = try #require(
                site.proxy.requests.first { $0.method == "POST" && $0.target.contains("uploads=") }
            )
            #expect(check.headers.contains("x-amz-storage-class"))
            let verified = try await Verification(configuration, level: .rows, environment: self.environment).run()
            #expect(verified.outcome == .ok)
            let restored = try await RestoreRun(configuration, environment: self.environment).run()
            #expect(restored.failed.map(\.message) == [] && restored.set == set)
            let tables = ["a", "b"]
            let fixture = site.fixture
            #expect(try await fixture.contents(fixture.target, tables) == fixture.contents(fixture.source, tables))
            #expect(site.proxy.requests.allSatisfy { $0.headers.contains("x-amz-request-payer") })
        }
    }

    @Test("A class that the server does not have ends a backup before it reads a row")
    func unknownClass() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration { $0.storageClass = "NO_SUCH_CLASS" }
            let error = await #expect(throws: StorageError.self) {
                try await BackupRun(configuration, environment: self.environment).run()
            }
            #expect(error?.hint?.contains("whether the server supports 'storage_class'") == true)
            // The mark of the run was there meanwhile.
            let requests = site.proxy.requests
            #expect(requests.count { $0.method == "POST" } == 1)
            #expect(requests.filter { $0.method == "PUT" }.allSatisfy { $0.target.contains(".running") })
            #expect(requests.last?.method == "DELETE")
        }
    }

    /// An object of a class that has to be restored first.
    private func archive(_ target: String) -> FaultProxy.Rule {
        let body =
            "<Error><Code>InvalidObjectState</Code><Message>no</Message><StorageClass>DEEP_ARCHIVE</StorageClass>"
            + "</Error>"
        return FaultProxy.Rule(.reply(status: 403, body: body), method: "GET", target: target)
    }

    @Test("An archived data file fails its table with the command that restores it, and the others land")
    func archivedRestore() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration()
            let set = try #require(try await site.backUp(days: 1, configuration).first)
            site.proxy.setRules([self.archive("public.b/\(set.replacing(":", with: "%3A")).csv")])
            let report = try await RestoreRun(configuration, environment: self.environment).run()
            #expect(report.failed.map(\.job.name) == ["public.b"])
            let failure = try #require(report.failed.first)
            #expect(failure.message.contains("it is archived (storage class DEEP_ARCHIVE)"))
            #expect(!failure.message.contains("\n"))
            #expect(failure.hint?.hasPrefix("restore it first with aws s3api restore-object --bucket ") == true)
            #expect(report.finished.contains { $0.job.name == "public.a" && $0.totals.rows == 1000 })
        }
    }

    @Test("A set with archived files is not verified, which is neither damage nor success, and its files are compared")
    func archivedVerification() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration()
            _ = try await site.backUp(days: 1, configuration)
            site.proxy.setRules([self.archive("public.b/")])
            for level in [SetVerification.Level.hashes, .rows] {
                let log = VerificationLog()
                let verified = try await Verification(configuration, level: level, environment: self.environment)
                    .run(onEvent: log.append)
                #expect(verified.outcome == .archived(files: 2) && verified.hasFindings && !verified.isStored)
                #expect(log.warnings.count == 1 && log.warnings.allSatisfy { $0.contains("it is archived") })
                #expect(log.findings == [])
            }
            let files = try await Verification(configuration, level: .files, environment: self.environment).run()
            #expect(files.outcome == .ok)
            // What is damaged all the same is said, and stored.
            site.proxy.setRules([
                self.archive("public.b/"), FaultProxy.Rule(.flipReply(at: 20), method: "GET", target: "public.a/"),
            ])
            let damaged = try await Verification(configuration, level: .hashes, environment: self.environment).run()
            guard case .damaged(let damages) = damaged.outcome else {
                Issue.record("\(damaged.outcome)")
                return
            }
            #expect(!damages.isEmpty && damaged.isStored)
            #expect(damages.allSatisfy { $0.path?.contains("public.a/") == true }, "\(damages)")
        }
    }

    @Test("Each set that retention keeps is one line of a prune, stays whole, and the others go")
    func lockedPrune() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration()
            let sets = try await site.backUp(days: 4, configuration)
            let locked = FaultProxy.Fault.reply(
                status: 403,
                body: "<Error><Code>AccessDenied</Code><Message>forbidden by object lock</Message></Error>"
            )
            site.proxy.setRules(
                [sets[0], sets[2]].map { set in
                    FaultProxy.Rule(locked, method: "DELETE", target: "\(set.replacing(":", with: "%3A")).json")
                }
            )
            let prune = Prune(configuration, environment: self.environment)
            let plan = try await prune.plan()
            #expect(plan.deletions.map(\.id) == Array(sets[..<3]))
            let error = await #expect(throws: DatabudgieError.self) { try await prune.remove(plan) }
            let problems = try #require(error).problems
            #expect(problems.count == 2)
            for (problem, set) in zip(problems, [sets[0], sets[2]]) {
                #expect(problem.sentence.hasPrefix("the set \(set) cannot be removed: "))
                #expect(
                    problem.sentence.hasSuffix("before its retention ends (AccessDenied: forbidden by object lock)")
                )
                #expect(!problem.sentence.contains("\n"))
            }
            #expect(try await site.fixture.expectSoundSets(configuration) == [sets[3], sets[2], sets[0]])
            site.proxy.setRules([])
            let next = try await prune.plan()
            #expect(next.deletions.map(\.id) == [sets[0], sets[2]])
            try await prune.remove(next)
            #expect(try await site.fixture.expectSoundSets(configuration) == [sets[3]])
        }
    }

    @Test("A set whose files cannot be removed gets its record and its verification back")
    func putBack() async throws {
        try await withSite { site async throws in
            let configuration = try site.configuration()
            let sets = try await site.backUp(days: 2, configuration)
            let verified = try await Verification(configuration, environment: self.environment).runAll()
            #expect(verified.allSatisfy { $0.isStored })
            let refused = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            site.proxy.setRules([.init(.reply(status: 200, body: refused), method: "POST", target: "delete")])
            let catalog = try #require(configuration.catalog(for: .backup)).description
            let before = try await self.contents(of: catalog, site)
            let prune = Prune(configuration, environment: self.environment)
            let plan = try await prune.plan()
            let error = await #expect(throws: DatabudgieError.self) { try await prune.remove(plan) }
            #expect(error?.message.hasPrefix("the set \(sets[0]) cannot be removed: ") == true)
            #expect(try await self.contents(of: catalog, site) == before)
            #expect(try await site.fixture.expectSoundSets(configuration) == sets.reversed())
        }
    }

    private func contents(of folder: String, _ site: Site) async throws -> [String: [UInt8]] {
        let storage = S3Storage(options: site.server.options(), environment: [:])
        var contents: [String: [UInt8]] = [:]
        for file in try await storage.list(try StoragePath(folder), recursive: true) {
            var bytes: [UInt8] = []
            for try await chunk in try await storage.read(file.path) { bytes += chunk }
            contents[file.path.description] = bytes
        }
        try await storage.shutdown()
        return contents
    }
}
