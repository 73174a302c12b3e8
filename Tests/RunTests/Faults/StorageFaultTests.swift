import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Runs whose S3 server misbehaves", .timeLimit(.minutes(5)))
struct StorageFaultTests {
    private static let schema = """
        create table a (id serial primary key, name text); create table b (id int primary key);
        """

    /// A source with rows, a target with others, and a folder in S3.
    private func withSite(
        _ body: @Sendable @escaping (RunFixture, StoragePath, S3Server) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.schema)
            try await fixture.execute(
                fixture.source,
                """
                insert into a (name) select 'new ' || n from generate_series(1, 500) n;
                insert into b select n from generate_series(1, 50) n;
                """
            )
            try await fixture.execute(fixture.target, "insert into a values (1, 'old'); insert into b values (1)")
            try await server.withFolder { folder in try await body(fixture, folder, server) }
        }
    }

    /// The configuration, for one of its runs through a proxy.
    private func configuration(
        _ fixture: RunFixture,
        _ folder: StoragePath,
        _ options: S3Options,
        _ more: String = ""
    ) throws -> Configuration {
        var configuration = try fixture.configuration(
            "{root_location: '\(folder)', location: '{table}', truncate: true, \(more)tables: [public.a, public.b]}"
        )
        configuration.backup.run.s3 = options
        configuration.restore.run.s3 = options
        return configuration
    }

    private func files(in folder: StoragePath, _ server: S3Server) async throws -> [FileInfo] {
        let storage = S3Storage(options: server.options(), environment: [:])
        let result = await Task { try await storage.list(folder, recursive: true) }.result
        try await storage.shutdown()
        return try result.get()
    }

    private let environment = RunEnvironment(variables: ["PATH": "/usr/bin:/bin"])

    /// What a server does for a while, and gets over.
    static let storms: [[FaultProxy.Rule]] = [
        [FaultProxy.Rule(.error(503, "SlowDown"), count: 6)],
        [FaultProxy.Rule(.error(500, "InternalError"), skip: 3, count: 6)],
        [FaultProxy.Rule(.loseReply, method: "PUT", skip: 1, count: 2)],
        [FaultProxy.Rule(.reset(afterBytes: 100), method: "PUT", skip: 2, count: 2)],
        [FaultProxy.Rule(.cutReply(afterBytes: 7), method: "GET", count: 2)],
    ]

    @Test(
        "Faults that pass are gotten over by backup, verification, restore and prune, and nothing is lost",
        arguments: storms.indices
    )
    func storm(number: Int) async throws {
        let rules = Self.storms[number]
        try await withSite { fixture, folder, server async throws in
            try await FaultProxy.withProxy(to: server.endpoint) { proxy async throws in
                let options = server.options(endpoint: proxy.endpoint)
                let configuration = try self.configuration(fixture, folder, options, "retention: {keep_last: 1}, ")
                let first = RunEnvironment(variables: [:], now: Date(timeIntervalSinceNow: -86_400))
                proxy.setRules(rules)
                #expect(try await BackupRun(configuration, environment: first).run().failed.map(\.message) == [])
                proxy.setRules(rules)
                let second = try await BackupRun(configuration, environment: self.environment).run()
                #expect(second.failed.map(\.message) == [])
                proxy.setRules(rules)
                let verified = try await Verification(configuration, level: .rows, environment: self.environment)
                    .runAll()
                #expect(verified.map(\.outcome) == [.ok, .ok])
                proxy.setRules(rules)
                let prune = Prune(configuration, environment: self.environment)
                try await prune.remove(try await prune.plan())
                proxy.setRules(rules)
                let restored = try await RestoreRun(configuration, environment: self.environment).run()
                #expect(restored.failed.map(\.message) == [] && restored.set == second.set)
                #expect(proxy.requests.contains { $0.fault != nil })
                let direct = try self.configuration(fixture, folder, server.options())
                #expect(try await fixture.expectSoundSets(direct) == [try #require(second.set)])
            }
            let tables = ["a", "b"]
            #expect(try await fixture.contents(fixture.target, tables) == fixture.contents(fixture.source, tables))
        }
    }

    /// Refusals that come half-way and stay, and what they are called.
    static let refusals: [(fault: FaultProxy.Fault, words: String)] = [
        (.error(403, "AccessDenied"), "denies access"), (.error(400, "ExpiredToken"), "expired"),
        (.error(403, "QuotaExceeded"), "QuotaExceeded"), (.flipRequest(at: 20), "received other bytes than were sent"),
    ]

    @Test(
        "Lost permissions, expired credentials, full quotas and bytes that are flipped on the way fail their table by name",
        arguments: refusals.indices
    )
    func refusedHalfway(number: Int) async throws {
        let (fault, words) = Self.refusals[number]
        try await withSite { fixture, folder, server async throws in
            let rules = [FaultProxy.Rule(fault, method: "PUT", target: "public.b/")]
            try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
                let options = server.options(endpoint: proxy.endpoint)
                let configuration = try self.configuration(fixture, folder, options)
                let report = try await BackupRun(configuration, environment: self.environment).run()
                #expect(report.failed.map(\.job.name) == ["public.b"])
                #expect(report.failed.allSatisfy { $0.description.contains(words) && !$0.message.contains("\n") })
                let direct = try self.configuration(fixture, folder, server.options())
                #expect(try await fixture.expectSoundSets(direct).count == 1)
                let left = try await S3Storage(options: server.options(), environment: [:]).list(
                    folder,
                    recursive: true
                )
                #expect(left.allSatisfy { !$0.path.description.contains("public.b") })
                // A set without a table that is asked for is not restored.
                let error = await #expect(throws: DatabudgieError.self) {
                    try await RestoreRun(direct, environment: self.environment).run()
                }
                #expect(error?.effect == .nothingChanged)
            }
            #expect(try await fixture.contents(fixture.target, ["a", "b"]) == ["(1,old)", "(1)"])
        }
    }

    @Test("A role that is not allowed to write to the catalog is told, and nothing is written")
    func unwritableCatalog() async throws {
        try await withSite { fixture, folder, server async throws in
            let rules = [FaultProxy.Rule(.error(403, "AccessDenied"), method: "PUT", target: "/catalog/")]
            try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
                let options = server.options(endpoint: proxy.endpoint)
                let configuration = try self.configuration(fixture, folder, options)
                let error = await #expect(throws: DatabudgieError.self) {
                    try await BackupRun(configuration, environment: self.environment).run()
                }
                fixture.expectOneLine(error)
                #expect(
                    error?.message.hasPrefix("the set cannot be recorded: ") == true,
                    "\(String(describing: error))"
                )
                #expect(error?.hint == "grant them the permission, or use others")
            }
            let left = try await self.files(in: folder, server)
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test("Files in a place that the role is not allowed to read are one error, and the target is as it was")
    func unreadableFiles() async throws {
        try await withSite { fixture, folder, server async throws in
            let direct = try self.configuration(fixture, folder, server.options())
            #expect(try await BackupRun(direct, environment: self.environment).run().failed.isEmpty)
            let rules = [FaultProxy.Rule(.error(403, "AccessDenied"), target: "public.")]
            try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
                let options = server.options(endpoint: proxy.endpoint)
                let configuration = try self.configuration(fixture, folder, options)
                let refusal = await #expect(throws: DatabudgieError.self) {
                    try await RestoreRun(configuration, environment: self.environment).run()
                }
                #expect(refusal?.effect == .nothingChanged)
                #expect(refusal?.problems.allSatisfy { $0.message.contains("denies access") } == true)
                let error = await #expect(throws: DatabudgieError.self) {
                    try await Verification(configuration, environment: self.environment).run()
                }
                fixture.expectOneLine(error)
                #expect(error?.problems.count == 1 && error?.message.contains("denies access") == true)
            }
            #expect(try await fixture.contents(fixture.target, ["a", "b"]) == ["(1,old)", "(1)"])
            #expect(try await fixture.expectSoundSets(direct).count == 1)
        }
    }

    @Test("A removal that S3 answers with 200 and an error keeps the set, or names what is left of it")
    func refusedRemoval() async throws {
        try await withSite { fixture, folder, server async throws in
            let direct = try self.configuration(fixture, folder, server.options(), "retention: {keep_last: 1}, ")
            for age in [2.0, 1] {
                let environment = RunEnvironment(variables: [:], now: Date(timeIntervalSinceNow: -age * 86_400))
                #expect(try await BackupRun(direct, environment: environment).run().failed.isEmpty)
            }
            // The record is deleted alone, the files together: that reply of 200 may hold an error.
            let refused = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            let rules = [
                FaultProxy.Rule(.error(403, "AccessDenied"), method: "DELETE"),
                FaultProxy.Rule(.reply(status: 200, body: refused), method: "POST", target: "delete"),
                // The mark, after all of its files.
                FaultProxy.Rule(.error(403, "AccessDenied"), method: "DELETE", skip: 1),
            ]
            for (number, rule) in rules.enumerated() {
                try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) { proxy async throws in
                    let options = server.options(endpoint: proxy.endpoint)
                    let configuration = try self.configuration(fixture, folder, options, "retention: {keep_last: 1}, ")
                    let prune = Prune(configuration, environment: self.environment)
                    let plan = try await prune.plan()
                    #expect(plan.deletions.count == 1)
                    let error = await #expect(throws: DatabudgieError.self) { try await prune.remove(plan) }
                    fixture.expectOneLine(error)
                    let set = plan.deletions.first?.id ?? ""
                    // As long as all files are there, the record is put back.
                    let sentence =
                        number < 2
                        ? "the set \(set) cannot be removed: " : "files are left of the set \(set), whose record"
                    #expect(error?.message.hasPrefix(sentence) == true, "\(String(describing: error))")
                }
            }
            let later = RunEnvironment(variables: [:], now: Date(timeIntervalSinceNow: 2 * Prune.age))
            let orphans = Prune(direct, environment: later)
            try await orphans.remove(try await orphans.plan(includingOrphans: true))
            #expect(try await fixture.expectSoundSets(direct).count == 1)
            let left = try await self.files(in: folder, server)
            // The record, the result of its verification, two data files and the values of a sequence.
            #expect(left.count == 5, "\(left.map(\.path))")
        }
    }
}
