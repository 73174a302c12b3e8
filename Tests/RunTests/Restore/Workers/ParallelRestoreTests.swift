import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores of several groups of tables at once", .timeLimit(.minutes(10)))
struct ParallelRestoreTests {
    @Test("A group is finished while another one waits, and the results are in the order of the plan")
    func overlap() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(2) { gates in
                try await fixture.createGatedTables(["a", "b"])
                try await fixture.execute(fixture.target, "create table c (id int, v text)")
                try fixture.writeFile(of: "c", 1, "c")
                let log = EventLog()
                async let report = fixture.restore(fixture.parallelYAML("[a, b, c]"), events: log)
                // Both are in their COPY at the same moment; the smallest table comes after them.
                let loads = try await fixture.loads(2)
                #expect(Set(loads.map(\.table)) == ["a", "b"] && Set(loads.map(\.pid)).count == 2)
                try await gates.open(2)
                try await poll("one worker loads what is left") { log.finished == ["public.b", "public.c"] }
                #expect(try await fixture.rows(fixture.target, "select count(*) from b, c") == ["1"])
                try await gates.open(1)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.map(\.job.name) == ["public.a", "public.b", "public.c"])
            }
        }
    }

    @Test(
        "A table begins when those that it refers to are committed, and those that refer to a failed one are not tried"
    )
    func references() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(1) { gates in
                try await fixture.execute(
                    fixture.target,
                    """
                    create table parent (id int primary key check (gate(1) > 0), v text);
                    create table child (id int references parent, v text); create table other (id int, v text);
                    create table broken (id int primary key, v text); create table victim (id int references broken, v text);
                    """
                )
                for (table, id) in [("parent", "1"), ("child", "1"), ("other", "1"), ("broken", "x"), ("victim", "1")] {
                    // What refers to others is bigger, and would begin before them.
                    try fixture.writeFile(of: table, id, String(repeating: "v", count: table == "child" ? 500 : 5))
                }
                let log = EventLog()
                async let report = fixture.restore(
                    fixture.parallelYAML("[parent, child, other, broken, victim]", jobs: 3).replacing(
                        "truncate: true, ",
                        with: ""
                    ),
                    events: log
                )
                try await poll("all others have ended") {
                    log.finished == ["public.other"]
                        && log.all.count { if case .failed = $0 { true } else { false } } == 2
                }
                #expect(!log.started.contains("public.child") && !log.started.contains("public.victim"))
                try await gates.open(1)
                #expect(try await report.finished.map(\.job.name) == ["public.parent", "public.child", "public.other"])
                let failed = try await report.failed
                #expect(failed.map(\.job.name) == ["public.broken", "public.victim"])
                #expect(failed.last?.message == "not restored, because it depends on public.broken, which failed")
                #expect(log.finished == ["public.other", "public.parent", "public.child"])
            }
        }
    }

    @Test("Failures, their words and their order are the same with one group at a time and with four")
    func sameWords() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int primary key, v text); create table b (id int primary key references a, v text);
                create table c (id int references b, v text); create table d (id int, v text);
                create table x (id int primary key, v text, other int); create table y (id int references x, v text);
                alter table x add foreign key (other) references x; create table e (id int check (id < 5), v text);
                """
            )
            for (table, id) in [("a", 1), ("b", 2), ("c", 1), ("d", 1), ("x", 1), ("y", 3), ("e", 9)] {
                try fixture.writeFile(of: table, id, table)
            }
            func lines(_ jobs: Int) async throws -> [String] {
                let yaml = fixture.parallelYAML("[a, b, c, d, x, y, e]", jobs: jobs)
                let report = try await fixture.restore(yaml.replacing("truncate: true", with: "truncate: false"))
                try await fixture.execute(fixture.target, "truncate a, b, c, d, x, y, e")
                return report.failed.map(\.description) + ["finished"] + report.finished.map(\.job.name)
            }
            let one = try await lines(1)
            #expect(one.count == 8 && one.firstIndex(of: "finished") == 4)
            for _ in 1...3 { #expect(try await lines(4) == one) }
        }
    }

    @Test("A strict table that fails stops what has not begun; what others load at that moment is finished")
    func strict() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(1) { gates in
                try await fixture.createGatedTables(["a"])
                try await fixture.execute(
                    fixture.target,
                    "create table b (id int, v text); create table c (id int, v text)"
                )
                try fixture.writeFile(of: "b", "x", "bad row")
                try fixture.writeFile(of: "c", 1, "c")
                let log = EventLog()
                let tables = "[a, {name: b, strict: true}, c]"
                async let report = fixture.restore(fixture.parallelYAML(tables), events: log)
                try await poll("the strict table has failed, and the other one still waits") {
                    log.all.contains {
                        if case .failed(let failure) = $0 { failure.job.name == "public.b" } else { false }
                    }
                }
                try await gates.open(1)
                #expect(try await report.finished.map(\.job.name) == ["public.a"])
                let failed = try await report.failed
                #expect(failed.map(\.job.name) == ["public.b", "public.c"])
                #expect(failed.last?.message == "not restored, because public.b failed and the run is strict")
                #expect(try await fixture.rows(fixture.target, "select count(*) from c") == ["0"])
            }
        }
    }

    @Test("Groups that empty the same table, or alter it, are not loaded at the same time")
    func sharedTables() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withTargetGates(1) { gates in
                try await fixture.execute(
                    fixture.target,
                    """
                    create table a (id int primary key check (gate(1) > 0), v text); create table b (id int primary key, v text);
                    create table empty (a int references a, b int references b); create table c (id int, v text);
                    """
                )
                for (index, table) in ["a", "b", "c"].enumerated() {
                    try fixture.writeFile(of: table, 1, String(repeating: "v", count: 100 * (3 - index)))
                }
                let log = EventLog()
                async let report = fixture.restore(fixture.parallelYAML("[a, b, c]", jobs: 3), events: log)
                // 'b' is bigger than 'c', but has to wait, because both empty the table that refers to them.
                try await poll("what is free is loaded") { log.finished == ["public.c"] }
                #expect(log.started.sorted() == ["public.a", "public.c"])
                try await gates.open(1)
                #expect(try await report.failed.map(\.description) == [])
                #expect(log.finished == ["public.c", "public.a", "public.b"])
            }
        }
    }

    @Test("A table whose triggers fire is loaded alone, in the order of the plan: they may read and write the others")
    func triggers() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int, v text); create table b (id int, v text); create table c (id int, v text);
                create function look() returns trigger language plpgsql as $$ begin
                    new.v := (select string_agg(v, '' order by v) from (select v from a union all select v from c) t); return new;
                end $$;
                create trigger look before insert on b for each row execute function look();
                """
            )
            for (table, size) in [("a", 1), ("b", 500), ("c", 900)] {
                try fixture.writeFile(of: table, 1, String(repeating: table, count: size))
            }
            let log = EventLog()
            let yaml = fixture.parallelYAML("[a, {name: b, triggers: fire}, c]", jobs: 3)
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.failed.map(\.description) == [])
            #expect(log.finished == ["public.a", "public.b", "public.c"])
            #expect(try await fixture.rows(fixture.target, "select v from b") == ["a"])
        }
    }

    @Test("Tables that share a sequence leave it at the furthest value, and the manifest has each table once")
    func sequencesAndManifest() async throws {
        try await RunFixture.with { fixture in
            let names = (1...8).map { "t\($0)" }
            try await fixture.onBoth(
                "create sequence shared; create table m (transaction int, action text, \"table\" text, file_path text);"
                    + names.map { "create table \($0) (id int default nextval('shared'), own serial);" }.joined()
            )
            for name in names {
                try await fixture.execute(fixture.source, "insert into \(name) select from generate_series(1, 50)")
            }
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', truncate: true, jobs: 4, manifest: public.m,
                tables: [\(names.joined(separator: ", "))]}
                """
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.description) == [])
            let values =
                "select last_value, is_called from shared"
                + names.map { " union all select last_value, is_called from \($0)_own_seq" }.joined()
            #expect(try await fixture.rows(fixture.target, values) == fixture.rows(fixture.source, values))
            let recorded = "select \"table\" from m where transaction = 1 and action = 'restore' order by 1"
            #expect(try await fixture.rows(fixture.target, recorded) == names.map { "public.\($0)" })
            for name in names {
                let rows = "select count(*), sum(id) from \(name)"
                #expect(try await fixture.rows(fixture.target, rows) == fixture.rows(fixture.source, rows))
            }
        }
    }

    @Test("'transaction: all' has one connection, whatever 'jobs' says, and a note says so")
    func oneTransaction() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table a (id int, v text); create table b (id int check (id > 1), v text)"
            )
            try fixture.writeFile(of: "a", 1, "a")
            try fixture.writeFile(of: "b", 1, "b")
            let log = EventLog()
            let yaml = fixture.parallelYAML("[a, b]", jobs: 4, ", transaction: all")
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.finished.isEmpty && report.failed.count == 2)
            #expect(log.notes.contains("'jobs' has no effect: everything is one transaction, which has one connection"))
            #expect(try await fixture.rows(fixture.target, "select count(*) from a") == ["0"])
        }
    }
}
