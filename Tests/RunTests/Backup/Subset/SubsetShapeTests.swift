import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Subsets of unusual tables")
struct SubsetShapeTests {
    private let odd = """
        create table extra(id int primary key);
        create table acc(id numeric primary key, name text collate "C" unique);
        create table ev(id int, acc int references acc, note text, at date, ex int, primary key(id, at)) partition by range (at);
        create table ev1(at date not null, note text, id int not null, ex int, acc int);
        alter table ev attach partition ev1 for values from ('2020-01-01') to ('2021-01-01');
        create table ev2 partition of ev for values from ('2021-01-01') to ('2022-01-01');
        alter table ev2 add foreign key (ex) references extra;
        create table base(id int primary key, acc numeric references acc);
        create table derived(extra int) inherits (base);
        create table named(id int primary key, acc_name text references acc(name));
        create table tags(id int primary key);
        create table posts(id int primary key, acc numeric references acc, tag_ids int[], meta jsonb);
        create table pair(a int, b int, primary key(a, b));
        create table full_ref(id int primary key, acc numeric references acc, a int, b int,
            foreign key(a, b) references pair match full);
        create table nv(id int primary key, acc numeric);
        insert into extra values (1), (2);
        insert into acc values (1, 'one'), (2, 'two');
        insert into ev values (1,1,'a','2020-05-05',1), (2,1,'b','2021-05-05',2), (3,2,'c','2021-06-06',1),
            (4,1,'d,"q"','2020-06-06',null);
        insert into base values (1,1), (2,2);
        insert into derived values (3,1,9);
        insert into named values (1,'one'), (2,'two');
        insert into tags values (1), (2), (3), (4);
        insert into posts values (1,1,'{1,2,null,9}','{"ev": "2"}'), (2,2,'{3}','{}'), (3,1,'{}',null);
        insert into pair values (1,1), (2,2);
        insert into full_ref values (1,1,1,1), (2,1,null,null), (3,2,2,2);
        insert into nv values (1,1), (2,7), (3,null);
        alter table nv add foreign key (acc) references acc not valid;
        """

    private func withOdd(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, odd)
            try await body(fixture)
        }
    }

    @Test("Keys of other types and collations, partitions, and references inside values are followed")
    func odd() async throws {
        try await withOdd { fixture in
            let log = EventLog()
            _ = try await fixture.backup(
                fixture.subsetYAML(
                    """
                    start: {acc: id = 1}, references: {posts.tag_ids: {to: tags.id, elements: true},
                      posts.ev: {expression: "(meta->>'ev')::int", to: ev.id}}
                    """
                ),
                events: log
            )
            #expect(try fixture.lines("public.acc") == ["1,one"])
            // Partitions with columns in another order; a foreign key that only one of them has.
            #expect(
                try fixture.lines("public.ev") == [
                    "1,1,a,2020-05-05,1", "2,1,b,2021-05-05,2", "4,1,\"d,\"\"q\"\"\",2020-06-06,",
                ]
            )
            #expect(try fixture.text("public.ev/public.ev.csv").hasPrefix("id,acc,note,at,ex\n"))
            #expect(try fixture.lines("public.extra") == ["2"])
            #expect(try fixture.lines("public.base") == ["1,1"])
            #expect(try fixture.lines("public.named") == ["1,one"])
            #expect(try fixture.lines("public.tags") == ["1", "2"])
            #expect(try fixture.lines("public.full_ref") == ["1,1,1,1", "2,1,,"])
            #expect(try fixture.lines("public.pair") == ["1,1"])
            #expect(try fixture.lines("public.nv") == ["1,1"])
            #expect(
                log.warnings == ["public.posts.tag_ids leads nowhere once: there is no such row in public.tags"]
            )
            let tags = try #require(try fixture.record().subset?.references.first { $0.name == "public.posts.tag_ids" })
            #expect((tags.broughtParents, tags.orphans) == (2, 1))
        }
    }

    @Test(
        "A limit is one for each parent, in an order that leaves nothing open, with and without an index",
        arguments: [true, false]
    )
    func limits(hasIndex: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table p(id int primary key); create table c(id int primary key, p int references p, o int, k0 int);
                insert into p select generate_series(1, 3);
                insert into c select i, 1 + i % 3, i / 6, i % 2 from generate_series(1, 30) i;
                """ + (hasIndex ? "create index on c (p)" : "")
            )
            // Columns that have the names of ours.
            _ = try await fixture.backup(
                fixture.subsetYAML(
                    "start: {p: id < 3}, references: {c.p: {limit: 3, order_by: o desc, where: k0 = 0}}"
                )
            )
            #expect(
                try fixture.lines("public.c")
                    == ["18,1,3,0", "22,2,3,0", "24,1,4,0", "28,2,4,0", "30,1,5,0", "16,2,2,0"].sorted()
            )
        }
    }

    @Test("Of MATCH FULL all columns are cut, of other references those that allow NULL, also in a whole table")
    func cut() async throws {
        try await withOdd { fixture in
            _ = try await fixture.backup(
                fixture.subsetYAML(
                    """
                    start: {acc: id = 1}, whole: [full_ref, nv], unconnected: none, references: {"full_ref(a, b)": cut, full_ref.acc: ignore,
                      nv.acc: cut}
                    """
                )
            )
            #expect(try fixture.lines("public.full_ref") == ["1,1,,", "2,1,,", "3,2,,"])
            // What leads nowhere is cut as well.
            #expect(try fixture.lines("public.nv") == ["1,1", "2,", "3,"])
            #expect(try fixture.lines("public.pair") == [])
        }
    }

    @Test("Of an array those elements are cut that lead to no row of the subset; NULLs and empty arrays stay")
    func arrays() async throws {
        try await withOdd { fixture in
            func backup(_ start: String) async throws {
                _ = try await fixture.backup(
                    fixture.subsetYAML(
                        "start: {\(start)}, unconnected: none, references: {posts.tag_ids: {to: tags.id, elements: true, follow: cut}}"
                    )
                )
            }
            try await backup("posts: 'true', tags: id = 2")
            #expect(try fixture.lines("public.tags") == ["2"])
            #expect(
                try fixture.lines("public.posts") == [
                    #"1,1,"{2,NULL}","{""ev"": ""2""}""#, "2,2,{},{}", "3,1,{},",
                ]
            )
            try await backup("posts: 'true', tags: 'id in (1, 2, 3)'")
            #expect(try fixture.lines("public.posts")[1] == "2,2,{3},{}")
            let references = try fixture.record().subset?.references
            #expect(references?.first { $0.name == "public.posts.tag_ids" }?.cut == 1)
        }
    }

    @Test("A reference to a table that is not part of the run is counted, or cut")
    func leaving() async throws {
        try await withOdd { fixture in
            let log = EventLog()
            let tables = "[public.full_ref, public.acc]"
            _ = try await fixture.backup(fixture.subsetYAML("start: {acc: id = 1}", tables: tables), events: log)
            #expect(
                log.warnings == [
                    "public.full_ref(a, b) refers to public.pair, which is not part of the run, in 1 row; add public.pair to "
                        + "'tables', or set the reference to cut"
                ]
            )
            #expect(try fixture.lines("public.full_ref") == ["1,1,1,1", "2,1,,"])
            _ = try await fixture.backup(
                fixture.subsetYAML("start: {acc: id = 1}, references: {'full_ref(a,b)': cut}", tables: tables)
            )
            #expect(try fixture.lines("public.full_ref") == ["1,1,,", "2,1,,"])
        }
    }

    @Test("A reference to a partitioned table of which the partitions are part of the run leads to one of them")
    func partitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table u(id int primary key) partition by range (id);
                create table u_1 partition of u for values from (0) to (10);
                create table u_2 partition of u for values from (10) to (20);
                create table u_3 partition of u for values from (20) to (30);
                create table o(id int primary key, uid int references u, ids int[]);
                insert into u values (1), (2), (11), (21); insert into o values (1, 1, '{1,11,21}'), (2, 11, '{2}'), (3, 2, null), (4, 21, null);
                """
            )
            let start = "o: 'true', u_1: id = 1, u_2: 'true'"
            // Nothing else leads to it when the reference is cut.
            let all = "start: {\(start), u_3: {where: 'false', allow_empty: true}}"
            func backup(_ subset: String, _ tables: String) async throws -> [String] {
                let log = EventLog()
                _ = try await fixture.backup(fixture.subsetYAML(subset, tables: tables), events: log)
                return log.warnings
            }
            let whole = "['public.u_*', public.o]"
            #expect(try await backup(all, whole) == [])
            #expect(try fixture.counts() == ["u_1": "1|1", "u_2": "1|0", "u_3": "0|1", "o": "4|0"])
            #expect(try await backup("\(all), references: {o.uid: cut}", whole) == [])
            #expect(
                try fixture.lines("public.o") == ["1,1,\"{1,11,21}\"", "2,11,{2}", "3,,", "4,,"]
            )
            let arrays = "references: {o.uid: ignore, o.ids: {to: u.id, elements: true, follow: cut}}"
            #expect(try await backup("\(all), \(arrays)", whole) == [])
            #expect(
                try fixture.lines("public.o") == ["1,1,\"{1,11}\"", "2,11,{}", "3,2,", "4,21,"]
            )
            let some = try await backup("start: {\(start)}", "[public.u_1, public.u_2, public.o]")
            #expect(
                some == [
                    "public.o: only some partitions of public.u, which it refers to, are part of the run; name public.u instead of its partitions",
                    "public.o.uid leads nowhere once: there is no such row in public.u_1, public.u_2",
                ]
            )
        }
    }

    @Test("A reference of a partitioned table means the keys of its partitions, and the rows without one")
    func keysOfPartitions() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table ten(id int primary key);
                create table ev(id int, tid int) partition by range (id);
                create table ev1 partition of ev for values from (0) to (10);
                create table ev2 partition of ev for values from (10) to (20);
                alter table ev1 add foreign key (tid) references ten;
                insert into ten values (1), (2); insert into ev values (1, 1), (2, 2), (11, 2);
                """
            )
            let yaml = fixture.subsetYAML(
                "start: {ev: 'true', ten: id = 1}, references: {ev.tid: {to: ten.id, follow: cut}}"
            )
            for key in ["select 1", "alter table ev2 add foreign key (tid) references ten"] {
                try await fixture.execute(fixture.source, key)
                _ = try await fixture.backup(yaml)
                #expect(try fixture.lines("public.ev") == ["1,1", "11,", "2,"], "\(key)")
                #expect(try fixture.lines("public.ten") == ["1"])
            }
        }
    }

    @Test("A sample is a share of the rows, the same every time")
    func sample() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table events(at timestamptz, n int, primary key (at, n));
                insert into events select '2026-01-01'::timestamptz + i * interval '1 min', i from generate_series(1, 2000) i;
                create table log(t text); insert into log values ('x');
                """
            )
            let yaml = fixture.subsetYAML("start: {events: {sample: 10%}}, unconnected: none")
            _ = try await fixture.backup(yaml)
            let first = try fixture.lines("public.events")
            #expect((130..<270).contains(first.count))
            try await fixture.execute(fixture.source, "update events set n = n; set timezone to 'Asia/Tokyo'")
            _ = try await fixture.backup(yaml)
            #expect(try fixture.lines("public.events") == first)
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.backup(fixture.subsetYAML("start: {log: {sample: 10%}}"))
            }
            #expect(error?.message.contains("public.log: it has no primary key, which 'sample' needs") == true)
        }
    }

    @Test("A chain of 200,000 rows is followed in both directions")
    func chain() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table chain(id int primary key, next int references chain);
                insert into chain select g, case when g < 200000 then g + 1 end from generate_series(1, 200000) g;
                create index on chain (next); analyze chain;
                """
            )
            let report = try await fixture.backup(fixture.subsetYAML("start: {chain: id = 100000}"))
            #expect(report.finished.map(\.totals.rows) == [200_000])
            #expect(try fixture.counts() == ["chain": "100000|100000"])
        }
    }

    @Test("A role with SELECT alone, on the partitioned table and not on its partitions, is enough")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await withOdd { fixture in
                try await fixture.execute(
                    fixture.source,
                    """
                    grant usage on schema public to \(role);
                    grant select on acc, ev, extra to \(role);
                    """
                )
                let tables = "[public.acc, public.ev, public.extra]"
                _ = try await fixture.connected(as: role).backup(
                    fixture.subsetYAML("start: {acc: id = 1}, references: {ev.ex: cut}", tables: tables)
                )
                #expect(
                    try fixture.lines("public.ev") == [
                        "1,1,a,2020-05-05,1", "2,1,b,2021-05-05,", "4,1,\"d,\"\"q\"\"\",2020-06-06,",
                    ]
                )
            }
        }
    }

    @Test("Rows that other sessions change, remove or vacuum meanwhile are those of the snapshot")
    func concurrent() async throws {
        try await RunFixture.withAccounts { fixture in
            let subset = "subset: {start: {accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}}"
            let tables = ["accounts", "users", "orders", "lines", "shipments", "comments", "products", "countries"]
            func files() throws -> [String] { try tables.map { try fixture.text("public.\($0)/data.csv") } }
            _ = try await fixture.heldUpBackup("'public.*'", subset) {}
            let before = try files()
            #expect(before[0] == "id,parent_id\n1,\n2,1\n3,\n")
            let results = try await fixture.heldUpBackup("'public.*'", subset) {
                try await fixture.execute(
                    fixture.source,
                    """
                    delete from shipments; delete from comments; update lines set sku = 'S2';
                    update users set email = email || '!'; insert into accounts values (77, 1)
                    """
                )
                for table in ["lines", "shipments", "comments"] {
                    try await fixture.execute(fixture.source, "vacuum \(table)")
                }
            }
            #expect(results.allSatisfy { $0.message == nil }, "\(results)")
            #expect(try files() == before)
        }
    }

    @Test("Each statement finds the rows of its batch by their addresses, and the others by an index")
    func plans() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table p(id int primary key, t text); create table c(id int primary key, p int references p, t text);
                create index on c(p);
                insert into p select i, repeat('x', 50) from generate_series(1, 20000) i;
                insert into c select i, 1 + i % 20000, repeat('y', 50) from generate_series(1, 60000) i; analyze p; analyze c;
                """
            )
            let configuration = try fixture.configuration(fixture.subsetYAML("start: {p: id = 1}"))
            try await fixture.session(configuration, .backup) { session in
                let catalog = try await session.readCatalog(without: nil, includesKeys: true)
                let planner = BackupPlanner(
                    catalog: catalog,
                    timestamp: session.settings.timestamp,
                    isStrict: false,
                    subset: configuration.backup.subset
                )
                let plan = try #require(try planner.plan(configuration.backup.tables).subset)
                let statements = StepSQL(graph: plan.graph)
                let edge = plan.graph.edges[0]
                let (parent, child) = (edge.parent.leaves[0], edge.child.leaves[0])
                let texts = [
                    statements.step(.init(edge: 0, isDownward: true), from: parent, isWhole: false).text,
                    statements.step(.init(edge: 0, isDownward: false), from: child, isWhole: false).text,
                    statements.pairs(0, from: child, isWhole: false).text,
                    statements.export(
                        [ExportColumn(name: "id", type: "int")],
                        from: child,
                        of: edge.child.node,
                        nulls: []
                    ),
                ]
                try await session.connection.withTransaction(.snapshot, idleTimeout: nil) {
                    let settings = SubsetSearch.plannerSettings.merging([StepSQL.rowsSetting: #"{"(0,1)","(9,3)"}"#]) {
                        $1
                    }
                    try await session.connection.withDiscardedSavepoint("plans", settings: settings) {
                        for text in texts {
                            let rows = try await session.connection.query("explain (costs off) \(text)").rows
                            let lines = rows.compactMap { $0[0] }
                            #expect(lines.contains { $0.contains("Tid Scan") }, "\(lines)")
                            #expect(!lines.contains { $0.contains("Seq Scan") }, "\(lines)")
                        }
                    }
                }
            }
        }
    }

    @Test("Names with quotes and spaces, and those that our statements use, are names like others")
    func names() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (o int primary key, r text, k0 int, n int, c int, t int, p int);
                create table "A ""b" ("I'd ""x" int primary key, o int references t, "É" text, t int, "tag s" int[]);
                insert into t values (1, 'x', 1, 1, 1, 1, 1), (2, 'y', 2, 2, 2, 2, 2);
                insert into "A ""b" values (1, 1, 'é', 5, '{1,2}'), (2, 1, 'e', 6, '{2}'), (3, 2, 'z', 7, null);
                """
            )
            var configuration = try fixture.configuration(fixture.subsetYAML("start: {t: o = 1}"))
            configuration.backup.subset = SubsetSettings(
                start: [SubsetStart("t", where: "o = 1 and r = 'x' and t = k0 and n = c and p = 1")],
                references: [
                    SubsetReference("A \"b.o", children: "t > 0 and o = 1", limit: 1, order: "t desc, o"),
                    SubsetReference("A \"b.tag s", follow: .cut, to: "t.o", isArray: true),
                ]
            )
            let report = try await BackupRun(configuration).run()
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.totals.rows) == [1, 1])
            let record = try fixture.record()
            #expect(record.tables.map(\.name) == ["t", "A \"b"])
            let cut = record.subset?.references.first { $0.name == "public.A \"b.tag s" }?.cut
            #expect(cut == 1)
        }
    }

    @Test(
        "Conditions see tables and columns of the user's, whatever names our statements use",
        arguments: [true, false]
    )
    func scopes(hasLimit: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table k(id int primary key); create table found(id int primary key); create table e(id int primary key);
                create table p(id int primary key);
                create table c(id int primary key, pid int references p, next int references c);
                create table tags(id int primary key);
                create table posts(id int primary key, n int, k0 int, tags int[]);
                insert into k values (1), (2), (3); insert into found values (1); insert into e values (1);
                insert into p values (1); insert into c select i, 1, nullif(i - 1, 0) from generate_series(1, 40) i;
                insert into tags values (1), (2); insert into posts values (1, 1, 1, '{1,2}'), (2, 2, 1, '{1}'), (3, 1, 2, '{1}');
                """
            )
            var configuration = try fixture.configuration(fixture.subsetYAML("start: {p: id = 1}"))
            let counts = "(select count(*) from k) = 3 and (select count(*) from found) = 1 and exists (select from e)"
            configuration.backup.subset = SubsetSettings(
                start: [SubsetStart("p", where: "id = 1"), SubsetStart("tags", where: "id = 1")],
                references: [
                    SubsetReference("c.pid", children: "\(counts) and id < 3"),
                    SubsetReference(
                        "c.next",
                        children: counts,
                        limit: hasLimit ? 1 : nil,
                        order: hasLimit ? "(select count(*) from k)" : nil
                    ),
                    SubsetReference("posts.tags", to: "tags.id", when: "n = 1 and k0 = 1", isArray: true),
                ]
            )
            let report = try await BackupRun(configuration).run()
            #expect(report.failed.isEmpty)
            #expect(try fixture.counts()["c"] == "40|0")
            #expect(try fixture.lines("public.posts") == ["1,1,1,\"{1,2}\""])
        }
    }
}
