import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Rows that the server rejects")
struct RejectRunTests {
    private static let file = "2026-01-02T03:04:05.csv"

    private func restore(
        _ fixture: RunFixture,
        _ more: String = "max_rejects: 100",
        tables: String = "[t]",
        events: EventLog = EventLog()
    ) async throws -> RunReport {
        var environment = RunEnvironment(variables: [:], now: Date(timeIntervalSince1970: 1_770_000_000))
        environment.rejectFolder = fixture.folder
        let configuration = try fixture.configuration(
            "{root_location: \(fixture.folder), location: '{table}', truncate: true, \(more), tables: \(tables)}"
        )
        return try await RestoreRun(configuration, environment: environment).run(onEvent: events.append)
    }

    private let folder = "databudgie-rejects-2026-02-02T02:40:00"

    /// The lines of JSON that say why rows were rejected, as `line sqlstate constraint`.
    private func reasons(_ fixture: RunFixture, _ table: String = "public.t") throws -> [String] {
        try fixture.text("\(folder)/\(table).jsonl").split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let message = try #require(object["message"] as? String)
            #expect(!message.isEmpty)
            let values = ["line", "sqlstate", "constraint"].map { object[$0].map { "\($0)" } ?? "-" }
            return values.joined(separator: " ")
        }
    }

    private func mode(_ fixture: RunFixture, _ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(fixture.folder)/\(path)")[.posixPermissions] as? Int
    }

    @Test("Good rows land; each bad one goes to a file, with its line, SQLSTATE, constraint and message")
    func kinds() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table parent (id int primary key); insert into parent values (1);
                create table t (
                    id int primary key, n int not null, parent int references parent, x text check (x <> 'bad')
                );
                create function refuse() returns trigger language plpgsql as $$ begin
                    if new.x = 'trigger' then raise exception 'refused by a trigger'; end if;
                    return new;
                end $$;
                create trigger refuse before insert on t for each row execute function refuse();
                """
            )
            let records = [
                "id,n,parent,x", "1,1,1,good", "two,2,1,x", "3,,1,x", "4,4,9,x", "5,5,1,bad", "1,6,1,x",
                "7,7,1,\"a\nb\"",
                "8,8,1,x,y", "9,9,1", "10,10,1,trigger", "11,11,,\"say \"\"yes\"\"\"",
            ]
            try fixture.write(records.joined(separator: "\n") + "\n", to: "public.t/\(Self.file)")
            let log = EventLog()
            let report = try await restore(fixture, "max_rejects: 8, triggers: fire", events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(report.rejectedRows == 8)
            #expect(report.finished.first?.totals.rows == 3)
            #expect(report.finished.first?.rejected?.path == "\(fixture.folder)/\(folder)/public.t.csv")
            #expect(try await fixture.rows(fixture.target, "select id from t order by 1") == ["1", "7", "11"])
            #expect(
                try reasons(fixture) == [
                    "3 22P02 -", "4 23502 -", "5 23503 t_parent_fkey", "6 23514 t_x_check", "7 23505 t_pkey",
                    "10 22P04 -",
                    "11 22P04 -", "12 P0001 -",
                ]
            )
            let rejected = [0, 2, 3, 4, 5, 6, 8, 9, 10].map { records[$0] + "\n" }
            #expect(try fixture.text("\(folder)/public.t.csv") == rejected.joined())
            #expect(try mode(fixture, folder) == 0o700)
            #expect(try mode(fixture, "\(folder)/public.t.csv") == 0o600)
            #expect(try mode(fixture, "\(folder)/public.t.jsonl") == 0o600)
            #expect(log.warnings.contains { $0.contains("8 rows of ") && $0.contains("were rejected") })
        }
    }

    @Test("One bad row more than allowed fails the table, which stays as it was")
    func tooMany() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int); insert into t values (9)")
            try fixture.write("id\n1\na\n2\nb\nc\n", to: "public.t/\(Self.file)")
            for transaction in ["group", "all"] {
                let report = try await restore(fixture, "max_rejects: 2, transaction: \(transaction)")
                let failure = try #require(report.failed.first)
                #expect(
                    failure.message.contains(
                        "more than 2 rows would be rejected, the next in line 6: invalid input syntax"
                    )
                )
                #expect(failure.hint?.hasPrefix("see \(fixture.folder)/\(folder)/public.t.csv") == true)
                #expect(try await fixture.rows(fixture.target, "select * from t") == ["9"])
                // Those of the second restore, and not of both.
                #expect(try reasons(fixture) == ["3 22P02 -", "5 22P02 -"])
            }
            let strict = try await restore(fixture, "max_rejects: 0")
            #expect(strict.failed.first?.message.contains("line 3, column id") == true)
            #expect(try await restore(fixture, "max_rejects: 3").rejectedRows == 3)
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1", "2"])
        }
    }

    @Test("Rows are found in files of many batches, and all others land, whatever is in them")
    func batches() async throws {
        try await RunFixture.with { fixture in
            let count = 60_000
            let bad = [1, 2, 20_000, 20_001, 33_333, 59_999, 60_000]
            try await fixture.onBoth("create table t (id int, x text)")
            try await fixture.execute(
                fixture.source,
                "insert into t select n, repeat('\"a,' || chr(10), 15) || n from generate_series(1, \(count)) n"
            )
            try #require(
                try await fixture.backup(
                    "{root_location: \(fixture.folder), location: '{table}', compression: gzip, tables: [t]}"
                ).failed.isEmpty
            )
            let list = bad.map(String.init).joined(separator: ", ")
            try await fixture.execute(fixture.target, "alter table t add check (id not in (\(list)))")
            let report = try await restore(fixture)
            #expect(report.failed.map(\.message) == [])
            #expect(report.rejectedRows == bad.count)
            #expect((report.finished.first?.totals.bytes ?? 0) > 3 * Int64(RejectingCopy.batchSize))
            let sum = "select count(*), md5(string_agg(id || x, '|' order by id)) from t where id not in (\(list))"
            #expect(try await fixture.rows(fixture.target, sum) == fixture.rows(fixture.source, sum))
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["\(count - bad.count)"])
            // Each value has fifteen line breaks.
            #expect(try reasons(fixture) == bad.map { "\(2 + ($0 - 1) * 16) 23514 t_id_check" })
        }
    }

    @Test("A row may refer to one of a later batch; a reference that leads nowhere fails the table at its end")
    func selfReferences() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (id int primary key, next int references t, x text); insert into t values (9)"
            )
            let text = String(repeating: "x", count: 300)
            let rows = (1...10_000).map { "\($0),\($0 == 10_000 ? "" : "\($0 + 1)"),\(text)" }
            try fixture.write(
                (["id,next,x"] + rows + ["z,,"]).joined(separator: "\n") + "\n",
                to: "public.t/\(Self.file)"
            )
            let report = try await restore(fixture)
            #expect(report.failed.map(\.message) == [])
            #expect(report.rejectedRows == 1)
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["10000"])
            let key = "select condeferrable from pg_constraint where conname = 't_next_fkey'"
            #expect(try await fixture.rows(fixture.target, key) == ["f"])

            try fixture.write("id,next,x\n1,2,\n", to: "public.t/\(Self.file)")
            #expect(try await restore(fixture).failed.first?.message.contains("t_next_fkey") == true)
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["10000"])
        }
    }

    @Test("With a merge, values that cannot be read are set aside, and what violates a constraint fails the table")
    func merges() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (id int primary key, n int check (n > 0)); insert into t values (1, 10), (9, 90)"
            )
            let merged = "[{name: t, truncate: false, mode: upsert}]"
            try fixture.write("id,n\n1,11\nx,1\n2,22\n3,y\n", to: "public.t/\(Self.file)")
            let report = try await restore(fixture, "max_rejects: 2", tables: merged)
            #expect(report.failed.map(\.message) == [])
            #expect(report.rejectedRows == 2)
            #expect(report.finished.first?.merged?.inserted == 1)
            #expect(try reasons(fixture) == ["3 22P02 -", "5 22P02 -"])
            let rows = "select * from t order by id"
            #expect(try await fixture.rows(fixture.target, rows) == ["1|11", "2|22", "9|90"])

            try fixture.write("id,n\n1,12\n4,-1\n", to: "public.t/\(Self.file)")
            let failed = try await restore(fixture, "max_rejects: 2", tables: merged)
            #expect(failed.failed.first?.message.contains("t_n_check") == true)
            #expect(try await fixture.rows(fixture.target, rows) == ["1|11", "2|22", "9|90"])
        }
    }

    @Test("Columns that are not loaded are in the file of rejected rows, as in the data file")
    func generatedColumns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (id int check (id > 0), twice int generated always as (id * 2) stored, x text)"
            )
            try fixture.write("id,twice,x\n1,2,\"a\n\"\n-1,-2,b\n2,4,c\n", to: "public.t/\(Self.file)")
            let report = try await restore(fixture)
            #expect(report.failed.map(\.message) == [])
            #expect(try fixture.text("\(folder)/public.t.csv") == "id,twice,x\n-1,-2,b\n")
            #expect(try reasons(fixture) == ["4 23514 t_id_check"])
            #expect(try await fixture.rows(fixture.target, "select id, twice from t order by 1") == ["1|2", "2|4"])
        }
    }

    @Test("Without a bad row there is no file, and what is no row's fault fails the table")
    func otherFailures() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int)")
            try fixture.write("id\n1\n", to: "public.t/\(Self.file)")
            #expect(try await restore(fixture).rejectedRows == 0)
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.folder)/\(folder)"))
            try fixture.write("id\n1\n2", to: "public.t/\(Self.file)")
            #expect(
                try await restore(fixture).failed.first?.message.contains("the last line has no line break") == true
            )
            try fixture.write("id\n1\n\\.\n2\n", to: "public.t/\(Self.file)")
            #expect(try await restore(fixture).failed.first?.message.contains("record 3 is only \\.") == true)
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1"])
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.folder)/\(folder)"))
        }
    }
}
