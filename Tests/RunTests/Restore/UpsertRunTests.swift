import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

/// Restores that merge rows with those that are there.
extension RunFixture {
    /// A configuration of tables whose files are in folders of their own names.
    func mergeYAML(_ tables: String, mode: LoadMode = .upsert, _ more: String = "missing_columns: default") -> String {
        "{root_location: \(folder), location: '{table}', mode: \(mode.rawValue), \(more), tables: \(tables)}"
    }

    /// Merges the files of tables; what fails is an error of the test.
    func merge(
        _ tables: String,
        mode: LoadMode = .upsert,
        _ more: String = "missing_columns: default",
        events: EventLog = EventLog()
    ) async throws -> [MergedRows?] {
        let report = try await restore(mergeYAML(tables, mode: mode, more), events: events)
        #expect(report.failed.map(\.message) == [])
        return report.finished.map(\.merged)
    }

    /// What fails in a merge of one table, in one line.
    func mergeFailure(_ table: String, mode: LoadMode = .upsert) async throws -> String {
        let report = try await restore(mergeYAML("[\(table)]", mode: mode))
        #expect(report.failed.count == 1)
        return report.failed.first.map { "\($0)" } ?? ""
    }

    func write(_ table: String, _ csv: String) throws {
        try write(csv, to: "public.\(table)/2024-01-01T00:00:00.csv")
    }
}

@Suite("Restores that update rows")
struct UpsertRunTests {
    @Test("Rows are inserted, updated or left untouched by the primary key, and all others stay")
    func rows() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key, name text, price numeric, document json, place point,
                    document_x xml, "Größe" text, doubled int generated always as (id * 2) stored);
                insert into product values (1, 'a', 1, '{"a": 1}', '(1,2)', '<a/>', null),
                    (2, 'b', 2, '{}', '(1,2)', '<b/>', 'x'), (3, 'c', 3.0, null, null, null, null),
                    (4, 'd', 4, '[1]', null, null, ''), (5, 'e', 5, null, '(5,5)', null, null),
                    (9, 'other', 9, null, null, null, null);
                """
            )
            let before = try await fixture.rows(fixture.target, "select id, xmin from product where id in (1, 9)")
            try fixture.write(
                "product",
                """
                doubled,name,id,price,document,place,document_x,Größe
                2,a,1,1,"{""a"": 1}","(1,2)",<a/>,
                4,"changed ""x""
                ",2,2,{},"(1,2)",<b/>,x
                6,c,3,3.00,,,,
                8,d,4,4,[2],,,""
                10,e,5,5,,"(5,6)",,
                12,new,6,,,,,
                14,"",7,,,,,

                """
            )
            let log = EventLog()
            let merged = try await fixture.merge("[product]", events: log)
            #expect(merged == [.upserted(7, inserted: 2, updated: 4)])
            #expect(merged.first??.unchanged == 1 && merged.first??.skipped == nil)
            #expect(log.warnings == [])
            #expect(log.notes.contains("public.product: rows whose key (id) is there are updated"))
            #expect(
                try await fixture.rows(
                    fixture.target,
                    "select id, name, price, document, place, document_x, \"Größe\", doubled from product order by id"
                ) == [
                    "1|a|1|{\"a\": 1}|(1,2)|<a/>|NULL|2", "2|changed \"x\"\n|2|{}|(1,2)|<b/>|x|4",
                    "3|c|3.00|NULL|NULL|NULL|NULL|6", "4|d|4|[2]|NULL|NULL||8", "5|e|5|NULL|(5,6)|NULL|NULL|10",
                    "6|new|NULL|NULL|NULL|NULL|NULL|12", "7||NULL|NULL|NULL|NULL|NULL|14",
                    "9|other|9|NULL|NULL|NULL|NULL|18",
                ]
            )
            // The row versions are the same ones.
            #expect(try await fixture.rows(fixture.target, "select id, xmin from product where id in (1, 9)") == before)
            let versions = "select id, xmin, ctid from product order by id"
            let all = try await fixture.rows(fixture.target, versions)
            #expect(try await fixture.merge("[product]") == [.upserted(7, inserted: 0, updated: 0)])
            #expect(try await fixture.rows(fixture.target, versions) == all)
        }
    }

    @Test("Rows are recognized by the named columns, whatever names these and the table have")
    func conflictColumns() async throws {
        try await RunFixture.with { fixture in
            let table = #"Or"der"#
            try await fixture.execute(
                fixture.target,
                """
                create table \(quotedIdentifier(table)) (id int primary key, "a,b" text, "c""d" text, "select" int,
                    excluded int, target int, unique ("c""d", "a,b") include (target));
                insert into \(quotedIdentifier(table)) values (1, 'x', 'y', 1, 1, 1), (2, 'x', 'z', 2, 2, 2);
                """
            )
            try fixture.write(
                #"id,"a,b","c""d",select,excluded,target"# + "\n10,x,y,11,12,13\n3,p,q,3,3,3\n",
                to: "orders/2024-01-01T00:00:00.csv"
            )
            let entry = #"{name: 'Or"der', location: orders, conflict_columns: ['a,b', 'c"d']}"#
            #expect(try await fixture.merge("[\(entry)]") == [.upserted(2, inserted: 1, updated: 1)])
            #expect(
                try await fixture.rows(fixture.target, "select * from \(quotedIdentifier(table)) order by id") == [
                    "2|x|z|2|2|2", "3|p|q|3|3|3", "10|x|y|11|12|13",
                ]
            )
        }
    }

    @Test("Several rows of a file with one key fail the table: counted, without their values")
    func repeatedKeys() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (a int, b text, v text, unique (a, b)); insert into t values (1, 'secret', 'old');
                create table u (a int unique nulls not distinct, v text);
                """
            )
            try fixture.write("t", "a,b,v\n1,secret,x\n2,k,x\n1,secret,y\n2,k,z\n2,k,z\n3,k,z\n,k,1\n,k,2\n")
            let failure = try await fixture.mergeFailure("{name: t, conflict_columns: [a, b]}")
            #expect(
                failure
                    == "public.t: \(fixture.folder)/public.t/2024-01-01T00:00:00.csv has several rows for 2 values of the "
                    + "key (a, b), and each can update a row only once; keep one of them for each, or name another key in "
                    + "'conflict_columns'"
            )
            #expect(!failure.contains("secret"))
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|secret|old"])
            try fixture.write("u", "a,v\n,x\n,y\n1,z\n")
            #expect(
                try await fixture.mergeFailure("{name: u, conflict_columns: [a]}").contains(
                    "has several rows for 1 value of the key (a)"
                )
            )
            // The same error of a trigger is none of the file's.
            try await fixture.execute(
                fixture.target,
                """
                create function many() returns trigger language plpgsql as
                    'begin new.v = (select 1 from generate_series(1, 2)); return new; end';
                create trigger many before insert on u for each row execute function many();
                """
            )
            try fixture.write("u", "a,v\n1,z\n")
            #expect(
                try await fixture.mergeFailure("{name: u, conflict_columns: [a]}").contains(
                    "more than one row returned"
                )
            )
        }
    }

    @Test(
        "A row with a null in its key is inserted, with a warning that counts such rows, unless nulls are not distinct"
    )
    func nulls() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (a int, b int, v text, unique (a, b)); insert into t values (1, null, 'old'), (2, 2, 'old');
                create table u (a int, v text, unique nulls not distinct (a)); insert into u values (null, 'old');
                """
            )
            try fixture.write("t", "a,b,v\n1,,new\n2,2,new\n,,new\n")
            try fixture.write("u", "a,v\n,new\n1,new\n")
            let log = EventLog()
            let merged = try await fixture.merge(
                "[{name: t, conflict_columns: [a, b]}, {name: u, conflict_columns: [a]}]",
                events: log
            )
            #expect(merged == [.upserted(3, inserted: 2, updated: 1), .upserted(2, inserted: 1, updated: 1)])
            #expect(
                log.warnings == [
                    "public.t: 2 rows of \(fixture.folder)/public.t/2024-01-01T00:00:00.csv have a null in the key (a, b), so "
                        + "they were added whatever the table has; name a key without nulls in 'conflict_columns'"
                ]
            )
            #expect(
                try await fixture.rows(fixture.target, "select * from t order by a, v") == [
                    "1|NULL|new", "1|NULL|old", "2|2|new", "NULL|NULL|new",
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from u order by 1") == ["1|new", "NULL|new"])
        }
    }

    @Test("Identities keep the values of the file, and columns that it lacks get defaults in new rows only")
    func generatedColumns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create domain positive as int check (value > 0);
                create table t (id int generated always as identity primary key, v positive, kind text default 'none');
                insert into t (v, kind) values (1, 'a'), (2, 'b');
                create table u (id int primary key, n int generated always as identity, v text);
                insert into u (id, v) values (1, 'old');
                """
            )
            try fixture.write("t", "id,v\n2,20\n7,70\n")
            try fixture.write("u", "id,n,v\n1,50,new\n2,60,new\n")
            let log = EventLog()
            let merged = try await fixture.merge("[t, u]", events: log)
            #expect(merged == [.upserted(2, inserted: 1, updated: 1), .upserted(2, inserted: 1, updated: 1)])
            #expect(
                try await fixture.rows(fixture.target, "select * from t order by id") == [
                    "1|1|a", "2|20|b", "7|70|none",
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from u order by id") == ["1|1|new", "2|60|new"])
            #expect(
                log.warnings == [
                    "public.u: rows that are updated keep their values of \"n\", GENERATED ALWAYS AS IDENTITY, which the server "
                        + "does not update"
                ]
            )
            try fixture.write("t", "id,v\n2,x\n")
            let refused = try await fixture.mergeFailure("t")
            #expect(refused.contains("COPY t, line 2, column v") && !refused.contains("staging"))
            try fixture.write("t", "id,v\n2,-1\n")
            #expect(try await fixture.mergeFailure("t").contains("positive_check"))
        }
    }

    @Test("A table whose columns are all in its key only gets the rows that it lacks")
    func onlyKey() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (a int, b int, primary key (a, b)); insert into t values (1, 1), (1, 2)"
            )
            try fixture.write("t", "b,a\n1,1\n3,1\n")
            #expect(try await fixture.merge("[t]") == [.upserted(2, inserted: 1, updated: 0)])
            #expect(try await fixture.rows(fixture.target, "select * from t order by b") == ["1|1", "1|2", "1|3"])
        }
    }

    @Test("A partitioned table is merged through its root, with the columns of its partitions in any order")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int, day int, v text, primary key (id, day)) partition by range (day);
                create table t_a partition of t for values from (0) to (10);
                create table t_b (v text, extra int, day int not null, id int not null); alter table t_b drop column extra;
                alter table t attach partition t_b for values from (10) to (20);
                insert into t values (1, 1, 'same'), (2, 2, 'old'), (3, 13, 'same'), (4, 14, 'old'), (9, 9, 'other');
                """
            )
            let unchanged =
                "select id, xmin from only t_a where id in (1, 9) union all select id, xmin from t_b where id = 3"
            let before = try await fixture.rows(fixture.target, unchanged)
            try fixture.write("t", "id,day,v\n1,1,same\n2,2,new\n3,13,same\n4,14,new\n5,5,new\n6,16,new\n6,6,new\n")
            #expect(try await fixture.merge("[t]") == [.upserted(7, inserted: 3, updated: 2)])
            #expect(
                try await fixture.rows(fixture.target, "select * from t order by id, day") == [
                    "1|1|same", "2|2|new", "3|13|same", "4|14|new", "5|5|new", "6|6|new", "6|16|new", "9|9|other",
                ]
            )
            #expect(try await fixture.rows(fixture.target, unchanged) == before)
            // A partition by its own name, and a row that belongs nowhere.
            try fixture.write("t_b", "id,day,v\n3,13,changed\n")
            #expect(try await fixture.merge("[t_b]") == [.upserted(1, inserted: 0, updated: 1)])
            try fixture.write("t", "id,day,v\n1,1,lost\n2,99,lost\n")
            #expect(try await fixture.mergeFailure("t").contains("no partition of relation"))
            #expect(try await fixture.rows(fixture.target, "select v from t where id = 1") == ["same"])
        }
    }

    @Test("What cannot be merged is refused before anything is changed")
    func refusals() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table none (a int, v text);
                create unique index on none (a) where a > 0; create unique index on none ((a + 1));
                create table late (a int primary key deferrable, v text unique);
                create table ruled (a int primary key, v text);
                create rule r as on update to ruled do also nothing; alter table ruled disable rule r;
                create view seen as select a, v from ruled;
                create function nothing() returns trigger language plpgsql as 'begin return null; end';
                create trigger instead instead of insert on seen for each row execute function nothing();
                create table fine (a int primary key, v text);
                """
            )
            for table in ["none", "late", "ruled", "seen", "fine"] { try fixture.write(table, "a,v\n1,x\n") }
            let lines = await fixture.preflightLines(
                fixture.mergeYAML(
                    "[{name: none, conflict_columns: [a]}, late, ruled, seen, {name: fine, conflict_columns: [v]}]"
                )
            )
            #expect(
                lines.sorted() == [
                    "public.fine: it has no unique key of exactly the columns (v) over all rows; its unique key is (a); name one "
                        + "of them in 'conflict_columns'",
                    "public.late: its primary key is deferrable, so 'mode: upsert' cannot recognize rows by it; its unique key "
                        + "is (v); name one of them in 'conflict_columns'",
                    "public.none: it has no unique key of exactly the columns (a) over all rows; it has no other unique key; "
                        + "create a unique index, or use 'mode: append' or 'mode: replace'",
                    "public.ruled: it has rules (r), with which the server does not merge rows; drop them, or use another mode "
                        + "than 'mode: upsert'",
                    "public.seen: it is a view, whose rows cannot be recognized by a key; use 'mode: append'",
                ]
            )
            // A dry run says the same, and changes nothing either.
            let log = EventLog()
            let report = try await fixture.restore(fixture.mergeYAML("[late, fine]"), isDryRun: true, events: log)
            #expect(report.failed.map(\.job.name) == ["public.late"])
            #expect(log.notes.contains("public.fine: rows whose key (a) is there are updated"))
            #expect(try await fixture.rows(fixture.target, "select count(*) from fine") == ["0"])
        }
    }

    @Test("The role needs SELECT and UPDATE on the table, and TEMPORARY on the database, and is told so")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    """
                    create table t (id int primary key, v text); insert into t values (1, 'old');
                    grant insert on t to \(role); grant usage on schema public to \(role);
                    do $$begin execute format('revoke temporary on database %I from public', current_database()); end$$;
                    """
                )
                try fixture.write("t", "id,v\n1,new\n2,new\n")
                let limited = fixture.connected(as: role)
                #expect(
                    await limited.preflightLines(fixture.mergeYAML("[t]")) == [
                        "public.t: the role lacks SELECT and UPDATE on the table, which 'mode: upsert' needs; grant them",
                        "public.t: the role lacks TEMPORARY on the database, which 'mode: upsert' needs for its staging table; "
                            + "grant it",
                    ]
                )
                try await fixture.execute(
                    fixture.target,
                    """
                    grant select, update on t to \(role);
                    do $$begin execute format('grant temporary on database %I to \(role)', current_database()); end$$;
                    """
                )
                #expect(try await limited.merge("[t]") == [.upserted(2, inserted: 1, updated: 1)])
                // Policies would decide which rows are recognized.
                try await fixture.execute(fixture.target, "alter table t enable row level security")
                #expect(
                    await limited.preflightLines(fixture.mergeYAML("[t]")).first?.hasPrefix(
                        "public.t: row-level security applies to the role, and rows that it hides cannot be recognized"
                    ) == true
                )
                try await fixture.execute(
                    fixture.target,
                    """
                    do $$begin execute format('revoke temporary on database %I from \(role)', current_database()); end$$;
                    drop owned by \(role);
                    """
                )
            }
        }
    }

    @Test("Operators of the search path are not called, even when they come before the server's own")
    func searchPath() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create schema evil;
                create function evil.trap(int, int) returns bool language plpgsql as 'begin raise ''trapped''; end';
                create function evil.trap(record, record) returns bool language plpgsql as 'begin raise ''trapped''; end';
                create function evil.count() returns int language plpgsql as 'begin raise ''trapped''; end';
                create operator evil.= (leftarg = int, rightarg = int, function = evil.trap);
                create operator evil.*<> (leftarg = record, rightarg = record, function = evil.trap);
                create table t (id int primary key, v int); insert into t values (1, 1), (2, 2);
                create table p (id int primary key, v int) partition by range (id);
                create table p_a partition of p for values from (0) to (10); insert into p values (1, 1), (2, 2);
                do $$begin
                    execute format('alter database %I set search_path = evil, public, pg_catalog', current_database());
                end$$;
                """
            )
            for table in ["t", "p"] { try fixture.write(table, "id,v\n1,1\n2,3\n3,3\n") }
            let merged = try await fixture.merge("[public.t, public.p]")
            #expect(merged == [.upserted(3, inserted: 1, updated: 1), .upserted(3, inserted: 1, updated: 1)])
            try fixture.write("t", "id,v\n1,1\n1,3\n1,4\n")
            #expect(try await fixture.mergeFailure("public.t").contains("several rows for 1 value"))
        }
    }
}
