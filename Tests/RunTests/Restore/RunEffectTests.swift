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
