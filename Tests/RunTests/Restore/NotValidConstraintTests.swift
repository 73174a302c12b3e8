import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores of rows that violate constraints which are NOT VALID")
struct NotValidConstraintTests {
    private let tables = """
        create table parent(id int primary key);
        create table child(id int primary key, parent int, n int);
        """
    private let rows = """
        insert into parent values (1), (2);
        insert into child values (1, 1, 5), (2, 7, -5), (3, null, null), (4, 8, 1);
        """
    private let constraints = """
        alter table child add constraint "child's key" foreign key (parent) references parent on delete cascade
            deferrable initially deferred not valid;
        comment on constraint "child's key" on child is 'imported: it''s old';
        alter table child add constraint positive check (n > 0) not valid;
        """

    /// All that constraints of a table are.
    private let state = """
        select conname, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred, confdeltype,
            obj_description(oid, 'pg_constraint')
        from pg_constraint where conrelid = 'child'::regclass order by conname
        """

    private func withTables(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, tables + rows + constraints)
            try await fixture.execute(fixture.target, tables + constraints + "insert into parent values (3)")
            try await body(fixture)
        }
    }

    private let yaml = "tables: ['public.*'], truncate: true"

    @Test(
        "They are there again as they were, with their comments, once the rows are loaded, and the plan says so before"
    )
    func restored() async throws {
        try await withTables { fixture in
            let yaml = "{root_location: \(fixture.folder), location: '{table}', \(yaml)}"
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let record = try fixture.record()
            #expect(record.foreignKeys.map(\.notValid) == [true] && record.foreignKeys[0].orphans == nil)
            #expect(record.tables.first { $0.name == "child" }?.notValid == ["positive"])
            let before = try await fixture.rows(fixture.target, state)
            let expected = ["foreign key child's key", "constraint positive"].map {
                "public.child: the \($0) is dropped for the load and added again, NOT VALID as it is, because rows of the set may "
                    + "violate it: it was NOT VALID in the source, too"
            }
            let plan = try await RestoreRun(try fixture.configuration(yaml)).plan()
            #expect(plan.findings.filter { $0.kind == .warning }.map(\.description) == expected)
            #expect(plan.groups.flatMap(\.locks).contains(.init(table: "public.parent", mode: "ACCESS EXCLUSIVE")))
            #expect(try await fixture.rows(fixture.target, state) == before)

            let log = EventLog()
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.failed.map(\.message) == [])
            #expect(log.warnings == expected)
            #expect(
                try await fixture.rows(fixture.target, "select id, parent, n from child order by id")
                    == ["1|1|5", "2|7|-5", "3|NULL|NULL", "4|8|1"]
            )
            #expect(try await fixture.rows(fixture.target, state) == before)
            for row in ["(9, 9, 1)", "(9, 1, -1)"] {
                await #expect(throws: PostgresError.self) {
                    try await fixture.execute(fixture.target, "insert into child values \(row)")
                }
            }
        }
    }

    @Test("A subset knows how many rows violate a key; one that all rows keep stays where it is")
    func counted() async throws {
        try await withTables { fixture in
            func yaml(_ start: String) -> String {
                fixture.subsetYAML("start: {\(start)}").replacing("tables:", with: "truncate: true, tables:")
            }
            _ = try await fixture.backup(yaml("child: id < 4"))
            #expect(try fixture.record().foreignKeys.map(\.orphans) == [1])
            let log = EventLog()
            #expect(try await fixture.restore(yaml("child: id < 4"), events: log).failed.isEmpty)
            #expect(
                log.warnings.contains(
                    "public.child: the foreign key child's key is dropped for the load and added again, NOT VALID as it is, "
                        + "because 1 row of the set violates it"
                )
            )
            #expect(
                try await fixture.rows(fixture.target, "select parent from child order by id") == ["1", "7", "NULL"]
            )

            _ = try await fixture.backup(yaml("child: id = 1"))
            #expect(try fixture.record().foreignKeys.map(\.orphans) == [0])
            let number = "select oid from pg_constraint where conname = 'child''s key'"
            let before = try await fixture.rows(fixture.target, number)
            let later = EventLog()
            #expect(try await fixture.restore(yaml("child: id = 1"), events: later).failed.isEmpty)
            #expect(!later.warnings.contains { $0.contains("child's key") })
            #expect(try await fixture.rows(fixture.target, number) == before)
        }
    }

    @Test(
        "One that the set does not speak of is enforced for new rows, also where it keeps an index from being built again",
        arguments: ["keep", "rebuild"]
    )
    func enforced(indexes: String) async throws {
        try await RunFixture.with { fixture in
            let tables = "create table maker (id int primary key); create table made (id int primary key, maker int);"
            try await fixture.execute(
                fixture.source,
                tables + "insert into maker values (1), (2); insert into made values (1, 1), (2, 3)"
            )
            try await fixture.execute(
                fixture.target,
                tables + "alter table made add constraint its foreign key (maker) references maker not valid"
            )
            let yaml = fixture.yaml("[maker, made]")
                .replacing("tables:", with: "indexes: \(indexes), tables:")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            let log = EventLog()
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.failed.contains { $0.description.contains("violates foreign key constraint \"its\"") })
            #expect(report.finished.map(\.job.name) == [])
            #expect(try await fixture.rows(fixture.target, "select from made union all select from maker") == [])
            let warning =
                "public.maker: the index maker_pkey is kept during the load, because the foreign key its of public.made needs it"
            #expect(log.warnings.contains(warning) == (indexes == "rebuild"))

            try await fixture.execute(fixture.source, "update made set maker = 2 where id = 2")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            #expect(try await fixture.restore(yaml).failed.map(\.description) == [])
            #expect(try await fixture.rows(fixture.target, "select count(*) from made") == ["2"])
            let state = "select convalidated from pg_constraint where conname = 'its'"
            #expect(try await fixture.rows(fixture.target, state) == ["f"])
        }
    }

    @Test("When the load fails, constraints and rows are as they were")
    func failure() async throws {
        try await withTables { fixture in
            let yaml = "{root_location: \(fixture.folder), location: '{table}', \(yaml)}"
            _ = try await fixture.backup(yaml)
            try await fixture.execute(fixture.target, "insert into child values (50, 3, 1)")
            try await fixture.execute(
                fixture.target,
                "alter table child add constraint small check (id < 4) not valid"
            )
            let everything =
                "select oid, conname, obj_description(oid, 'pg_constraint') from pg_constraint order by oid"
            let before = try await fixture.rows(fixture.target, everything)
            let report = try await fixture.restore(yaml)
            #expect(!report.failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, everything) == before)
            #expect(try await fixture.rows(fixture.target, "select id from child") == ["50"])
        }
    }

    @Test(
        "Only the owner can drop a constraint: what is known to be violated is a problem for others, before anything is changed"
    )
    func owners() async throws {
        try await withTables { fixture in
            try await PostgresServer.withRole { role in
                try await fixture.execute(
                    fixture.target,
                    "alter table child drop constraint positive; grant select, insert, truncate on parent, child to \(role)"
                )
                let yaml = fixture.subsetYAML("start: {child: id < 4}").replacing(
                    "tables:",
                    with: "truncate: true, tables:"
                )
                _ = try await fixture.backup(yaml)
                var configuration = try fixture.configuration(yaml)
                configuration.restore.run.connection = fixture.connected(as: role).target
                configuration.restore.run.isStrict = true
                let error = await #expect(throws: DatabudgieError.self) {
                    _ = try await RestoreRun(configuration).run()
                }
                #expect(
                    error?.description.contains(
                        "public.child: the foreign key child's key is NOT VALID, and 1 row of the set violates it; connect as the "
                            + "table's owner, who can drop it for the load"
                    ) == true,
                    "\(error?.description ?? "")"
                )
                #expect(try await fixture.rows(fixture.target, "select id from parent") == ["3"])
                try await fixture.execute(fixture.target, "revoke all on parent, child from \(role)")
            }
        }
    }

    @Test("A reference that a subset has not followed is named, and dropped for the load where it is NOT VALID")
    func ignored() async throws {
        try await RunFixture.with { fixture in
            let key = "alter table child add constraint child_parent foreign key (parent) references parent"
            try await fixture.onBoth(tables)
            try await fixture.execute(
                fixture.source,
                "insert into parent values (1), (2); insert into child values (1, 1, 1), (2, 2, 2); \(key)"
            )
            try await fixture.execute(fixture.target, key)
            let yaml = fixture.subsetYAML(
                "start: {child: id = 1}, unconnected: none, references: {child.parent: ignore}"
            )
            _ = try await fixture.backup(yaml)
            #expect(try fixture.record().foreignKeys.map(\.ignored) == [true])
            let log = EventLog()
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.failed.map(\.job.name) == ["public.child"])
            #expect(
                log.warnings == [
                    "public.child: rows of the set may violate the foreign key child_parent, which the subset has not followed "
                        + "(ignore); if they do, make it NOT VALID in the target: drop it, and add it with NOT VALID"
                ]
            )
            try await fixture.execute(
                fixture.target,
                "alter table child drop constraint child_parent; \(key) not valid"
            )
            let second = EventLog()
            #expect(try await fixture.restore(yaml, events: second).failed.isEmpty)
            #expect(
                second.warnings.count == 1 && second.warnings[0].contains("is dropped for the load and added again")
            )
            #expect(try await fixture.rows(fixture.target, "select parent from child") == ["1"])
            let definition = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'child_parent'"
            #expect(
                try await fixture.rows(fixture.target, definition)
                    == ["FOREIGN KEY (parent) REFERENCES parent(id) NOT VALID"]
            )
        }
    }

    @Test(
        "NOT NULL constraints and keys of partitioned tables can be NOT VALID, too",
        .enabled("needs Postgres 18") { try await ServerBuild.shared.majorVersion >= 18 }
    )
    func versionEighteen() async throws {
        try await RunFixture.with { fixture in
            let tables = """
                create table ref(id int primary key);
                create table part(id int, ref int, note text) partition by range (id);
                create table part1 partition of part for values from (0) to (10);
                """
            let constraints = """
                alter table part add constraint part_ref foreign key (ref) references ref not valid;
                create table nn(id int, x int);
                """
            let notNull =
                "alter table nn add constraint x_nn not null x not valid; comment on constraint x_nn on nn is 'old'"
            try await fixture.execute(fixture.source, tables + "insert into part values (1, 7, 'a');" + constraints)
            try await fixture.execute(fixture.source, "insert into nn values (1, null);" + notNull)
            try await fixture.execute(fixture.target, tables + constraints + notNull)
            let state = """
                select conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, conparentid <> 0,
                    obj_description(oid, 'pg_constraint')
                from pg_constraint where not convalidated order by 1, 2
                """
            let before = try await fixture.rows(fixture.target, state)
            #expect(before.count >= 2)
            let yaml = fixture.yaml("[public.ref, public.part, public.nn]")
            _ = try await fixture.backup(yaml)
            #expect(try await fixture.restore(yaml).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select ref, note from part") == ["7|a"])
            #expect(try await fixture.rows(fixture.target, "select id, x from nn") == ["1|NULL"])
            #expect(try await fixture.rows(fixture.target, state) == before)
        }
    }

    @Test("A key of one partition, of tables that refer to themselves, and files without a set")
    func others() async throws {
        try await RunFixture.with { fixture in
            let tables = """
                create table ref(id int primary key);
                create table part(id int, ref int) partition by range (id);
                create table part1 partition of part for values from (0) to (10);
                create table part2 partition of part for values from (10) to (20);
                create table tree(id int primary key, up int);
                """
            let keys = """
                alter table part1 add constraint part1_ref foreign key (ref) references ref not valid;
                alter table tree add constraint tree_up foreign key (up) references tree not valid;
                """
            try await fixture.execute(
                fixture.source,
                tables + "insert into ref values (1); insert into part values (1, 1), (2, 5), (11, 6);"
                    + "insert into tree values (1, 2), (2, 9);" + keys
            )
            try await fixture.execute(fixture.target, tables + keys)
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', truncate: true, tables: [public.ref, public.part, public.tree]}
                """
            _ = try await fixture.backup(yaml)
            let log = EventLog()
            #expect(try await fixture.restore(yaml, events: log).failed.map(\.message) == [])
            #expect(
                log.warnings.contains {
                    $0.hasPrefix("public.part: the foreign key part1_ref of public.part1 is dropped")
                }
            )
            #expect(try await fixture.rows(fixture.target, "select ref from part order by id") == ["1", "5", "6"])
            #expect(try await fixture.rows(fixture.target, "select up from tree order by id") == ["2", "9"])
            #expect(
                try await fixture.rows(
                    fixture.target,
                    "select conname from pg_constraint where not convalidated order by 1"
                ) == ["part1_ref", "tree_up"]
            )
            // Without a record nothing is known of the rows, and the server decides.
            try fixture.forgetSets()
            let unknown = try await fixture.restore(yaml)
            #expect(Set(["public.part", "public.tree"]).isSubset(of: unknown.failed.map(\.job.name)))
        }
    }
}
