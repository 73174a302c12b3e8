import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("Restores that skip rows that are there, and ways to say so")
struct SkipExistingRunTests {
    @Test(
        "A row that has any unique key of one that is there is skipped, and the first of several in the file is loaded"
    )
    func anyKey() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int primary key, code text unique, span int4range, exclude using gist (span with &&));
                insert into t values (1, 'a', '[1,5)'), (2, 'b', null);
                """
            )
            let before = try await fixture.rows(fixture.target, "select id, xmin, ctid from t")
            try fixture.write("t", "id,code,span\n1,x,\n3,a,\n4,d,\"[2,3)\"\n5,e,\"[7,8)\"\n5,f,\n6,e,\n7,,\n")
            let log = EventLog()
            let merged = try await fixture.merge("[t]", mode: .skipExisting, events: log)
            #expect(merged == [.inserted(7, inserted: 2)])
            #expect(merged.first??.skipped == 5 && merged.first??.updated == nil)
            #expect(
                log.notes.contains("public.t: rows that have a unique key of one that is there are skipped")
            )
            #expect(
                try await fixture.rows(fixture.target, "select id, code from t order by id") == [
                    "1|a", "2|b", "5|e", "7|NULL",
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select id, xmin, ctid from t where id < 3") == before)
        }
    }

    @Test("With named columns only their key is skipped, and a row that violates another one fails the table")
    func namedKey() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int primary key deferrable, code text unique); insert into t values (1, 'a');
                create table p (id int, code text unique) partition by list (code);
                create table p_a partition of p for values in ('a', 'b'); insert into p values (1, 'a');
                """
            )
            try fixture.write("t", "id,code\n2,a\n3,b\n")
            try fixture.write("p", "id,code\n2,a\n3,b\n")
            let key = "conflict_columns: [code]"
            let merged = try await fixture.merge("[{name: t, \(key)}, {name: p, \(key)}]", mode: .skipExisting)
            #expect(merged == [.inserted(2, inserted: 1), .inserted(2, inserted: 1)])
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|a", "3|b"])
            #expect(try await fixture.rows(fixture.target, "select * from p order by 1") == ["1|a", "3|b"])
            try fixture.write("t", "id,code\n4,d\n1,c\n")
            #expect(
                try await fixture.mergeFailure("{name: t, \(key)}", mode: .skipExisting).contains("t_pkey")
            )
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|a", "3|b"])
            #expect(
                await fixture.preflightLines(fixture.mergeYAML("[t]", mode: .skipExisting)).first?.hasPrefix(
                    "public.t: its key t_pkey is deferrable, so 'mode: skip_existing' cannot recognize rows by any key"
                ) == true
            )
        }
    }

    @Test("A row whose key is there fails a table that is appended to, and replace empties it first")
    func otherModes() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                "create table t (id int primary key, v text); insert into t values (1, 'old'), (9, 'old')"
            )
            try fixture.write("t", "id,v\n2,new\n1,new\n")
            let failure = try await fixture.mergeFailure("t", mode: .append)
            #expect(failure.contains("t_pkey"))
            #expect(
                failure.hasSuffix(
                    "; set 'mode: upsert' or 'mode: skip_existing' if rows of the file may be in the table"
                )
            )
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|old", "9|old"])
            #expect(try await fixture.merge("[t]", mode: .replace) == [nil])
            #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|new", "2|new"])
        }
    }

    @Test("A file is loaded without columns that its table lacks when that is allowed, and a warning names them")
    func extraColumns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table t (id int primary key, v text); create table u (id int, v text);
                insert into t values (1, 'old');
                """
            )
            let csv = "gone,id,\"lo\"\"st\",v\n\"a,\nb\",1,,x\n,2,3,\"\"\n"
            try fixture.write("t", csv)
            try fixture.write("u", csv)
            let refused = await fixture.preflightLines(fixture.mergeYAML("[u]", mode: .append))
            #expect(refused.count == 2)
            #expect(refused.allSatisfy { $0.hasSuffix("export without it, or set 'extra_columns: ignore'") })
            let log = EventLog()
            let merged = try await fixture.merge(
                "[{name: t, mode: upsert}, {name: u, mode: append}]",
                "extra_columns: ignore",
                events: log
            )
            #expect(merged == [.upserted(2, inserted: 1, updated: 1), nil])
            #expect(
                log.warnings.sorted()
                    == ["t", "u"].map {
                        "public.\($0): the columns \"gone\", \"lo\"st\" of \(fixture.folder)/public.\($0)/2024-01-01T00:00:00.csv do "
                            + "not exist in the table, and are not loaded"
                    }
            )
            for table in ["t", "u"] {
                #expect(try await fixture.rows(fixture.target, "select * from \(table) order by 1") == ["1|x", "2|"])
            }
        }
    }

    @Test("A column that the file lacks gets its default with a warning, as a detail, or not at all")
    func missingColumns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, "create table t (id int, kind text default 'none', note text)")
            try fixture.write("t", "id\n1\n")
            let log = EventLog()
            _ = try await fixture.merge("[t]", mode: .append, "strict: false", events: log)
            #expect(log.warnings.count == 1)
            #expect(
                log.warnings.first?.hasPrefix("public.t: the columns \"kind\", \"note\" are not in \(fixture.folder)/")
                    == true
            )
            let meant = EventLog()
            _ = try await fixture.merge("[t]", mode: .append, "missing_columns: default", events: meant)
            #expect(meant.warnings == [])
            #expect(meant.notes.contains { $0.contains("\"kind\", \"note\" are not in") })
            #expect(try await fixture.rows(fixture.target, "select * from t") == ["1|none|NULL", "1|none|NULL"])
            let refused = await fixture.preflightLines(
                fixture.mergeYAML("[t]", mode: .append, "missing_columns: error")
            )
            #expect(refused.count == 1 && refused[0].contains("set 'missing_columns: default'"))
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["2"])
        }
    }
}
