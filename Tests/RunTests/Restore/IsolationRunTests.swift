import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores in which one table has a problem")
struct IsolationRunTests {
    private static let file = "2024-01-01T00:00:00.csv"

    /// What can be wrong with `t` alone, and what is said about it.
    enum Problem: CaseIterable {
        case noFile, unknownColumn, missingColumn, emptyFile, damagedFile, unreadableFile
        case unreadableSequences, wrongSequences, damagedRows

        var sentence: String {
            switch self {
            case .noFile: "there is no data file in "
            case .unknownColumn: "the column \"nmae\" of "
            case .missingColumn: "has no column \"name\", which is NOT NULL and has no default"
            case .emptyFile: "the file is empty"
            case .damagedFile: "2024-01-01T00:00:00.csv: "
            case .unreadableFile: "2024-01-01T00:00:00.csv cannot be read: it does not exist"
            case .unreadableSequences: "bad JSON"
            case .wrongSequences: "is out of the range of the sequence"
            case .damagedRows: "invalid input syntax for type integer"
            }
        }

        func write(_ fixture: RunFixture) throws {
            let (data, sequences) = (
                "public.t/" + IsolationRunTests.file, "public.t/sequences/2024-01-01T00:00:00.json"
            )
            try fixture.write("id,name\n1,new\n", to: data)
            try fixture.write("{\"t_id_seq\": 700}", to: sequences)
            switch self {
            case .noFile: try FileManager.default.removeItem(atPath: fixture.folder + "/" + data)
            case .unknownColumn: try fixture.write("id,name,nmae\n1,x,y\n", to: data)
            case .missingColumn: try fixture.write("id\n1\n", to: data)
            case .emptyFile: try fixture.write("", to: data)
            case .damagedFile: try fixture.write(Data([0x1F, 0x8B, 8, 0, 0]), to: data)
            case .unreadableFile:
                try FileManager.default.removeItem(atPath: fixture.folder + "/" + data)
                try FileManager.default.createSymbolicLink(
                    atPath: fixture.folder + "/" + data,
                    withDestinationPath: "nowhere.csv"
                )
            case .unreadableSequences: try fixture.write("{\"t_id_seq\": ", to: sequences)
            case .wrongSequences: try fixture.write("{\"t_id_seq\": 0}", to: sequences)
            case .damagedRows: try fixture.write("id,name\n1,x\ntwo,y\n", to: data)
            }
        }
    }

    /// A target with rows of its own: `t`, which will have a problem, and `u` and `v`, which have none.
    private func withTables(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id serial primary key, name text not null); insert into t (name) values ('old');
                create table u (id int); insert into u values (9); create table v (id int);
                """ + ManifestTable("m").definition
            )
            try fixture.write("id\n1\n", to: "public.u/" + Self.file)
            try fixture.write("id\n2\n", to: "public.v/" + Self.file)
            try await body(fixture)
        }
    }

    private func yaml(_ fixture: RunFixture, _ tables: String = "[u, t, v]", _ more: String = "") -> String {
        "{root_location: \(fixture.folder), location: '{table}', truncate: true, manifest: m, \(more)tables: \(tables)}"
    }

    private func expectOldTable(_ fixture: RunFixture, _ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|old"], sourceLocation: location)
        let value = "select last_value, is_called from t_id_seq"
        #expect(try await fixture.rows(fixture.target, value) == ["1|t"], sourceLocation: location)
    }

    @Test("It fails alone, keeps its rows and its sequence, and is not recorded", arguments: Problem.allCases)
    func alone(_ problem: Problem) async throws {
        try await withTables { fixture in
            try problem.write(fixture)
            let events = EventLog()
            let report = try await fixture.restore(yaml(fixture), events: events)
            #expect(report.failed.map(\.job.name) == ["public.t"])
            #expect(report.failed.first?.message.contains(problem.sentence) == true, "\(report.failed)")
            #expect(report.finished.map(\.job.name) == ["public.u", "public.v"])
            #expect(try await fixture.rows(fixture.target, "select u.id, v.id from u, v") == ["1|2"])
            try await expectOldTable(fixture)
            let recorded = try await fixture.rows(fixture.target, "select \"table\" from m order by id")
            #expect(recorded == ["public.u", "public.v"])
            let failures = events.all.count { if case .failed = $0 { true } else { false } }
            #expect(failures == 1)
        }
    }

    @Test(
        "It stops a strict run and a run in which it is strict itself",
        arguments: ["[u, t, v]", "[u, v, {name: t, strict: true}]"]
    )
    func strict(_ tables: String) async throws {
        try await withTables { fixture in
            try Problem.unknownColumn.write(fixture)
            try fixture.write("id,other\n1,2\n", to: "public.v/" + Self.file)
            let isRun = tables == "[u, t, v]"
            let lines = await fixture.preflightLines(yaml(fixture, tables, isRun ? "strict: true, " : ""))
            #expect(lines.count == 2)
            #expect(lines.contains { $0.hasPrefix("public.t: ") && $0.contains("\"nmae\"") })
            #expect(lines.contains { $0.hasPrefix("public.v: ") && $0.contains("\"other\"") })
            try await expectOldTable(fixture)
            #expect(try await fixture.rows(fixture.target, "select id from u union all select id from v") == ["9"])
            #expect(try await fixture.rows(fixture.target, "select count(*) from m") == ["0"])
        }
    }

    @Test("When a strict table has no problem, those of others do not stop it")
    func strictOther() async throws {
        try await withTables { fixture in
            try Problem.unknownColumn.write(fixture)
            let report = try await fixture.restore(yaml(fixture, "[t, {name: u, strict: true}]"))
            #expect(report.failed.map(\.job.name) == ["public.t"])
            #expect(report.finished.map(\.job.name) == ["public.u"])
        }
    }

    @Test("When nothing would be left, nothing is touched and all problems are reported together")
    func nothingLeft() async throws {
        try await withTables { fixture in
            try Problem.noFile.write(fixture)
            for table in ["u", "v"] { try fixture.write("other\n1\n", to: "public.\(table)/" + Self.file) }
            let lines = await fixture.preflightLines(yaml(fixture))
            #expect(lines.map { $0.prefix(9) } == ["public.t:", "public.u:", "public.v:"])
            try await expectOldTable(fixture)
            #expect(try await fixture.rows(fixture.target, "select count(*) from m") == ["0"])
        }
    }

    @Test("A dry run reports the same, and writes nothing", arguments: [Problem.noFile, .unknownColumn])
    func dryRun(_ problem: Problem) async throws {
        try await withTables { fixture in
            try problem.write(fixture)
            let events = EventLog()
            let report = try await fixture.restore(yaml(fixture), isDryRun: true, events: events)
            #expect(report.failed.map(\.job.name) == ["public.t"])
            #expect(report.failed.first?.message.contains(problem.sentence) == true)
            let planned = events.all.compactMap {
                if case .planned(_, let jobs) = $0 { jobs.map(\.job.name) } else { nil }
            }
            #expect(planned == [["public.u", "public.v"]])
            try await expectOldTable(fixture)
            #expect(try await fixture.rows(fixture.target, "select id from u") == ["9"])
        }
    }

    @Test("A run that is resumed restores it, and nothing twice")
    func resumption() async throws {
        try await withTables { fixture in
            try Problem.noFile.write(fixture)
            var configuration = try fixture.configuration(yaml(fixture))
            configuration.restore.run.resumeID = 3
            #expect(try await RestoreRun(configuration).run().failed.count == 1)
            try fixture.write("id,name\n5,new\n", to: "public.t/" + Self.file)
            try await fixture.execute(fixture.target, "insert into u values (10)")
            let report = try await RestoreRun(configuration).run()
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.job.name) == ["public.t"])
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["5|new"])
            #expect(try await fixture.rows(fixture.target, "select last_value from t_id_seq") == ["700"])
            #expect(try await fixture.rows(fixture.target, "select id from u order by 1") == ["1", "10"])
        }
    }

    @Test("A table whose privilege is missing fails alone")
    func privilege() async throws {
        try await PostgresServer.withRole { role in
            try await withTables { fixture in
                try Problem.damagedRows.write(fixture)
                try await fixture.execute(
                    fixture.target,
                    """
                    grant all on u, v, m to \(role); grant all on sequence m_id_seq to \(role);
                    grant select, truncate on t to \(role);
                    """
                )
                let report = try await fixture.connected(as: role)
                    .restore(yaml(fixture, "[{name: t, sequences: false}, u, v]"))
                #expect(report.failed.map(\.sentence) == ["public.t: the role lacks INSERT on the table"])
                #expect(report.failed.map(\.hint) == ["grant it"])
                #expect(report.finished.map(\.job.name) == ["public.u", "public.v"])
                try await expectOldTable(fixture)
            }
        }
    }

    @Test("A table whose folder cannot be listed fails alone, also when only a glob names it")
    func unlistedFolder() async throws {
        try await withTables { fixture in
            try Problem.damagedRows.write(fixture)
            let location = String(repeating: "x", count: 300)
            for name in ["t", "'public.t*'"] {
                let tables = "[u, {name: \(name), location: \(location), sequences: false}, v]"
                let report = try await fixture.restore(yaml(fixture, tables))
                #expect(report.failed.map(\.job.name) == ["public.t"])
                #expect(report.failed.first?.message.contains("cannot be listed") == true, "\(report.failed)")
                #expect(report.finished.map(\.job.name) == ["public.u", "public.v"])
                try await expectOldTable(fixture)
            }
        }
    }

    @Test("Sequences that are restored alone fail alone")
    func sequencesAlone() async throws {
        try await withTables { fixture in
            try Problem.wrongSequences.write(fixture)
            let report = try await fixture.restore(yaml(fixture, "[{name: t, data: false}, u]"))
            #expect(report.failed.map(\.job.name) == ["public.t"])
            #expect(report.failed.first?.job.subject == .sequences)
            #expect(report.finished.map(\.job.name) == ["public.u"])
            try await expectOldTable(fixture)
        }
    }

    @Test("Each failed table is reported to Sentry, and what fails with it as a consequence")
    func sentry() async throws {
        try await withTables { fixture in
            try await fixture.execute(fixture.target, "alter table v add foreign key (id) references t")
            try Problem.unknownColumn.write(fixture)
            try await SentryServer.withServer { server in
                let report = try await fixture.restore(yaml(fixture, "[u, t, v]", "sentry: {dsn: '\(server.dsn)'}, "))
                #expect(report.failed.map(\.job.name) == ["public.t", "public.v"])
                #expect(report.finished.map(\.job.name) == ["public.u"])
                #expect(server.problems.isEmpty)
                #expect(server.envelopes.map { $0.tags["table"] } == ["public.t", "public.v"])
                #expect(server.envelopes.map { $0.tags["code"] } == ["preflight", "consequence"])
            }
        }
    }
}
