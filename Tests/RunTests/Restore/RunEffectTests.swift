import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("What a failed restore leaves behind")
struct RunEffectTests {
    private let schema = "create table a (id int primary key); create table b (id int primary key references a)"

    /// A backup of two tables, and a target with rows of its own.
    private func withBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, "insert into a values (1); insert into b values (1)")
            try await fixture.execute(fixture.target, "insert into a values (9); insert into b values (9)")
            try #require(try await fixture.backup(fixture.ddlYAML("['public.*']")).failed.isEmpty)
            try fixture.forgetSets()
            try await body(fixture)
        }
    }

    private func expectOldRows(_ fixture: RunFixture) async throws {
        #expect(try await fixture.rows(fixture.target, "select a.id, b.id from a, b") == ["9|9"])
    }

    private func failure(_ fixture: RunFixture, _ configuration: Configuration) async throws -> DatabudgieError {
        try #require(await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() })
    }

    @Test("A preflight that fails has changed nothing", arguments: ["ddl: false", "ddl: true"])
    func preflight(ddl: String) async throws {
        try await withBackup { fixture in
            try fixture.write("id,other\n1,2\n", to: "public.b/2999-01-01T00:00:00.csv")
            let yaml =
                "{root_location: \(fixture.folder), location: '{table}', truncate: true, \(ddl), tables: ['public.*']}"
            let error = try await failure(fixture, fixture.configuration(yaml))
            #expect(error.code == .preflight)
            #expect(error.effect == .nothingChanged)
            try await expectOldRows(fixture)
        }
    }

    @Test("A run that has nothing to do, or that names no database's table, has changed nothing")
    func nothingToDo() async throws {
        try await withBackup { fixture in
            let error = try await failure(fixture, fixture.configuration(fixture.yaml("['nowhere.*']")))
            #expect(error.code == .nothingToDo)
            #expect(error.effect == .nothingChanged)
            try await expectOldRows(fixture)
        }
    }

    @Test("A restore that replaces tables and fails after their rows is rolled back")
    func replacement() async throws {
        try await withBackup { fixture in
            try fixture.write("id\n7\n", to: "public.b/2999-01-01T00:00:00.csv")
            let error = try await failure(fixture, fixture.configuration(fixture.ddlYAML("['public.*']")))
            #expect(error.code == .database)
            #expect(error.message.contains("b_id_fkey"))
            #expect(error.message.contains("Key (id) is not present in table"))
            #expect(error.effect == .rolledBack)
            try await expectOldRows(fixture)
        }
    }

    /// Two databases of a server whose commits in the target wait for a standby that does not exist.
    private func withWaitingCommits(
        _ prepare: (RunFixture) async throws -> Void,
        _ body: (RunFixture, _ server: ConnectionParameters) async throws -> Void
    ) async throws {
        try await PostgresServer.withStandby { server, _ in
            try await server.withDatabase { source in
                try await server.withDatabase { target in
                    try await withTemporaryFolder { folder in
                        let fixture = RunFixture(source: source, target: target, folder: folder)
                        try await prepare(fixture)
                        let (name, superuser) = (target.keywords["dbname"] ?? "", server.superuser)
                        try await fixture.execute(superuser, "alter database \(name) set synchronous_commit = on")
                        try await fixture.execute(superuser, "alter system set synchronous_standby_names = 'nobody'")
                        try await fixture.execute(superuser, "select pg_reload_conf()")
                        try await poll("sessions know it") {
                            try await fixture.rows(superuser, "show synchronous_standby_names") == ["nobody"]
                        }
                        // The checkpointer has to know it as well.
                        for _ in 0..<2 { try await fixture.execute(superuser, "checkpoint") }
                        try await body(fixture, superuser)
                    }
                }
            }
        }
    }

    @Test(
        "When the connection is lost during the commit, nobody says that the rows are not there",
        .timeLimit(.minutes(5)),
        arguments: [true, false]
    )
    func lostCommit(isWhole: Bool) async throws {
        try await withWaitingCommits { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, "insert into a values (1); insert into b values (1)")
            try await fixture.execute(fixture.target, "insert into a values (9); insert into b values (9)")
            try #require(try await fixture.backup(fixture.yaml("[a, b]")).failed.isEmpty)
        } _: { fixture, server in
            let yaml = fixture.yaml("[a, b]")
            let log = EventLog()
            let run = Task {
                try await fixture.restore(
                    isWhole ? yaml.replacing("tables:", with: "transaction: all, tables:") : yaml,
                    events: log
                )
            }
            var pids: [String] = []
            try await poll("it commits") {
                pids = try await fixture.rows(server, "select pid from pg_stat_activity where wait_event = 'SyncRep'")
                return pids.count == 1
            }
            _ = try await fixture.rows(server, "select pg_terminate_backend(\(pids[0]))")
            let error = await #expect(throws: (any Error).self) { try await run.value }
            if isWhole {
                #expect((error as? DatabudgieError)?.effect == .unknown)
            } else {
                #expect((error as? PostgresError)?.isCommitUnknown == true)
                let failed: [String] = log.all.compactMap {
                    if case .failed(let failure) = $0 { failure.message } else { nil }
                }
                #expect(failed.count == 2)
                #expect(
                    failed.allSatisfy { $0.hasSuffix(", while its rows were committed: they may be there or not") },
                    "\(failed)"
                )
            }
            #expect(try await fixture.rows(fixture.target, "select a.id, b.id from a, b") == ["1|1"])
        }
    }

    @Test("A restore that fails after the database was re-created says that its tables are gone")
    func clean() async throws {
        try await withBackup { fixture in
            // Nothing but the new table shows that the file does not fit it.
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.b/2") })
            try fixture.write("id,other\n1,2\n", to: file)
            var configuration = try fixture.configuration(fixture.ddlYAML("['public.*']", "strict: true"))
            configuration.restore.run.definitions.recreatesDatabase = true
            configuration.restore.assumesYes = true
            let error = try await failure(fixture, configuration)
            #expect(error.code == .preflight)
            #expect(error.message.contains("\"other\""))
            #expect(error.effect == .databaseRecreated)
            #expect(try await fixture.names(fixture.target) == [])
            configuration = try fixture.configuration(fixture.ddlYAML("['public.*']"))
            configuration.restore.run.definitions.recreatesDatabase = true
            configuration.restore.assumesYes = true
            let report = try await RestoreRun(configuration).run()
            #expect(report.failed.map(\.job.description).first == "public.b")
            #expect(report.finished.map(\.job.description) == ["public.a"])
            #expect(try await fixture.rows(fixture.target, "select id from a") == ["1"])
        }
    }

    @Test("A backup has nothing to change, so its failure has no effect to speak of")
    func backup() async throws {
        try await withBackup { fixture in
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(fixture.yaml("[nowhere]"))
            }
            #expect(error?.code == .nothingToDo)
            #expect(error?.effect == nil)
        }
    }

    @Test("Each effect is a sentence, and the outermost one does not hide what is known inside")
    func sentences() async throws {
        #expect(RunEffect.nothingChanged.description == "nothing was changed")
        #expect(RunEffect.rolledBack.description.hasPrefix("everything was rolled back"))
        #expect(RunEffect.databaseRecreated.description.hasPrefix("the database was re-created"))
        let error = await #expect(throws: DatabudgieError.self) {
            try await DatabudgieError.withEffect(.rolledBack) {
                try await DatabudgieError.withEffect(.nothingChanged) {
                    throw DatabudgieError(.preflight, "no")
                }
            }
        }
        #expect(error?.effect == .nothingChanged)
        await #expect(throws: CancellationError.self) {
            try await DatabudgieError.withEffect(.rolledBack) { throw CancellationError() }
        }
    }
}
