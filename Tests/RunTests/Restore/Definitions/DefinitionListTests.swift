import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Lists of definitions")
struct DefinitionListTests {
    /// Runs a backup at a moment of its own.
    private func backup(_ fixture: RunFixture, _ yaml: String, minute: Int) async throws {
        var environment = RunEnvironment()
        environment.now = Date(timeIntervalSince1970: 1_800_000_000 + Double(minute) * 60)
        let report = try await BackupRun(fixture.configuration(yaml), environment: environment).run()
        try #require(report.failed.isEmpty)
    }

    /// A full backup of three tables, and a later one of one of them.
    private func withPartialBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create schema app; create table app.a (id int primary key); insert into app.a values (1);
                create table app.b (id int primary key references app.a); insert into app.b values (1);
                create table app.c (id int); insert into app.c values (3); create table app.old (id int);
                """
            )
            try await backup(fixture, fixture.ddlYAML("['app.*']"), minute: 0)
            try await fixture.execute(fixture.source, "drop table app.old")
            try await backup(fixture, fixture.ddlYAML("['app.*']"), minute: 1)
            try await fixture.execute(fixture.source, "insert into app.a values (2); alter table app.a add n int")
            try await backup(fixture, fixture.ddlYAML("[app.a]"), minute: 2)
            try fixture.forgetSets()
            try await body(fixture)
        }
    }

    @Test(
        "A later backup of one table does not shrink a restore, which says what it mixes",
        arguments: ["['app.*']", "[app.a, app.b, app.c]"]
    )
    func partial(tables: String) async throws {
        try await withPartialBackup { fixture in
            for _ in 1...2 {
                let events = EventLog()
                let report = try await fixture.restore(fixture.ddlYAML(tables), events: events)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(try await fixture.names(fixture.target) == ["app.a", "app.b", "app.c"])
                #expect(
                    try await fixture.rows(fixture.target, "select id, n from app.a order by 1") == [
                        "1|NULL", "2|NULL",
                    ]
                )
                #expect(try await fixture.rows(fixture.target, "select b.id, c.id from app.b, app.c") == ["1|3"])
                try await fixture.expectEqualDefinitions()
                let mixing = events.warnings.filter { $0.hasPrefix("app.b, app.c: restored as listed in ") }
                #expect(mixing.count == 1, "\(events.warnings)")
            }
        }
    }

    @Test("What is dropped from the source comes back only by its name")
    func dropped() async throws {
        try await withPartialBackup { fixture in
            _ = try await fixture.restore(fixture.ddlYAML("[{name: 'app.*', exclude: [app.old]}, app.old]"))
            #expect(try await fixture.names(fixture.target) == ["app.a", "app.b", "app.c", "app.old"])
        }
    }

    @Test("A strict restore mixes no backups, and nothing is changed")
    func strict() async throws {
        try await withPartialBackup { fixture in
            let lines = await fixture.preflightLines(fixture.ddlYAML("['app.*']", "strict: true"))
            #expect(lines.first?.hasPrefix("app.b, app.c: restored as listed in ") == true, "\(lines)")
            let names = try await fixture.names(fixture.target)
            #expect(names.isEmpty)
        }
    }

    private func clean(_ fixture: RunFixture, _ tables: String) async throws -> RunReport {
        var configuration = try fixture.configuration(fixture.ddlYAML(tables))
        configuration.restore.run.definitions.recreatesDatabase = true
        configuration.restore.assumesYes = true
        return try await RestoreRun(configuration).run()
    }

    @Test("A name that is written out and found nowhere is an error, and a database is not dropped for it")
    func nowhere() async throws {
        try await withPartialBackup { fixture in
            try await fixture.execute(fixture.target, "create table mine (id int)")
            for isClean in [false, true] {
                let error = await #expect(throws: DatabudgieError.self) {
                    if isClean { return try await clean(fixture, "[app.a, app.nothing]") }
                    return try await fixture.restore(fixture.ddlYAML("[app.a, app.nothing]"))
                }
                #expect(error?.description.contains("'app.nothing' matches no table") == true)
                #expect(error?.effect == .nothingChanged)
                #expect(try await fixture.names(fixture.target) == ["mine"])
            }
        }
    }

    @Test("A database is re-created with all tables, and not dropped when the rows of one are missing")
    func cleanDatabase() async throws {
        try await withPartialBackup { fixture in
            #expect(try await clean(fixture, "['app.*']").failed.isEmpty)
            #expect(try await fixture.names(fixture.target) == ["app.a", "app.b", "app.c"])
            for file in try fixture.files() where file.hasPrefix("app.c/") && file.hasSuffix(".csv") {
                try FileManager.default.removeItem(atPath: fixture.folder + "/" + file)
            }
            let error = await #expect(throws: DatabudgieError.self) { try await clean(fixture, "['app.*']") }
            #expect(error?.description.contains("app.c: there is no data file") == true)
            #expect(error?.effect == .nothingChanged)
            #expect(try await fixture.rows(fixture.target, "select id from app.c") == ["3"])
        }
    }

    @Test("A partitioned table is re-created with its rows, whether they are in its file or in those of its partitions")
    func cleanPartitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table p (id int primary key) partition by list (id);
                create table p_1 partition of p for values in (1); create table p_2 partition of p default;
                insert into p values (1), (2);
                """
            )
            for tables in ["['public.*']", "[p_1, p_2]"] {
                _ = try await fixture.backup(fixture.ddlYAML(tables))
                #expect(try await clean(fixture, tables).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, "select id from p order by 1") == ["1", "2"])
                try FileManager.default.removeItem(atPath: fixture.folder)
                try FileManager.default.createDirectory(atPath: fixture.folder, withIntermediateDirectories: true)
            }
        }
    }

    @Test("A table of which only the definition is asked for keeps its rows, and is re-created when it has none")
    func definitionOnly() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table kept (id int primary key, n int); create table empty (id int primary key, n int);
                create table p (id int, n int) partition by list (id); create table p_1 partition of p default;
                create table t (id int references kept); insert into kept values (1); insert into t values (1);
                """
            )
            try await fixture.execute(
                fixture.target,
                """
                create table kept (id int primary key); create table empty (id int);
                create table p (id int) partition by list (id); create table p_1 partition of p default;
                insert into kept values (1), (7); insert into p values (3);
                """
            )
            let yaml = fixture.ddlYAML("{kept: {data: false}, empty: {data: false}, p: {data: false}, t: }")
            _ = try await fixture.backup(yaml)
            for _ in 1...2 {
                let events = EventLog()
                let report = try await fixture.restore(yaml, events: events)
                #expect(report.failed.isEmpty, "\(report.failed)")
                for table in ["kept", "p"] {
                    #expect(
                        events.warnings.contains { $0.hasPrefix("public.\(table): it has rows, which would be lost") }
                    )
                }
                #expect(try await fixture.rows(fixture.target, "select * from kept order by 1") == ["1", "7"])
                #expect(try await fixture.rows(fixture.target, "select * from p") == ["3"])
                #expect(try await fixture.rows(fixture.target, "select * from t") == ["1"])
                let columns = "select count(*) from pg_attribute where attrelid = 'empty'::regclass and attnum > 0"
                #expect(try await fixture.rows(fixture.target, columns) == ["2"])
            }
        }
    }
}
