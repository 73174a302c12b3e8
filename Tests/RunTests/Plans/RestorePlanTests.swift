import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Plans of restores")
struct RestorePlanTests {
    private let schema = """
        create table maker (id int primary key);
        create table product (id serial primary key, maker_id int references maker, best_sale int);
        create table sale (id int primary key, product_id int references product);
        alter table product add foreign key (best_sale) references sale;
        create table note (id int);
        """
    private let rows = """
        insert into maker values (1), (2); insert into product (maker_id) values (1); insert into sale values (1, 1);
        update product set best_sale = 1; insert into note values (7);
        """

    private func plan(
        _ fixture: RunFixture,
        _ yaml: String,
        set: SetSelection = .newest,
        events: EventLog = EventLog()
    ) async throws -> RunPlan {
        var configuration = try fixture.configuration(yaml)
        configuration.restore.set = set
        return try await RestoreRun(configuration).plan(onEvent: events.append)
    }

    /// All that a restore could change in its target.
    private func state(_ fixture: RunFixture) async throws -> [String] {
        let rows = """
            select relname, oid::text || ' ' || relfilenode from pg_class where relnamespace = 'public'::regnamespace
            union all select 'maker', m::text from maker m union all select 'note', n::text from note n
            union all select 'id', (last_value, is_called)::text from product_id_seq
            order by 1, 2
            """
        return try await fixture.rows(fixture.target, rows) + fixture.definitions(of: fixture.target)
    }

    @Test(
        "The tables, their order and their files are those of the restore that follows, and nothing is changed before",
        arguments: ["ddl: false", "ddl: true"]
    )
    func equalsRestore(ddl: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            try await fixture.execute(fixture.target, "insert into maker values (8), (9); insert into note values (9)")
            let yaml =
                "{root_location: \(fixture.folder), location: '{table}', \(ddl), tables: [\"public.*\"], truncate: true}"
            let backup = try await fixture.backup(yaml)
            #expect(backup.failed.isEmpty)
            let (before, files) = (try await state(fixture), try fixture.files())
            let plan = try await plan(fixture, yaml)
            #expect(plan.isWithoutProblems)
            #expect(try await state(fixture) == before)
            #expect(try fixture.files() == files)
            #expect(plan.set?.id == backup.set && plan.set?.reason == "the newest one that has everything")
            #expect(plan.isOneTransaction == (ddl == "ddl: true"))
            #expect(plan.definitions.map(\.replaces) == (ddl == "ddl: true" ? [true, true, true, true] : []))
            let report = try await fixture.restore(yaml)
            #expect(report.failed.isEmpty)
            #expect(plan.tables.map(\.job) == report.finished.map(\.job))
            #expect(plan.tables.map(\.file) == report.finished.map(\.path))
            #expect(plan.tables.map(\.rows) == report.finished.map(\.totals.rows))
            #expect(plan.tables.map(\.bytes) == report.finished.map(\.totals.fileBytes))
            #expect(plan.tables.map { $0.sequences.count } == report.finished.map(\.sequences.count))
        }
    }

    @Test("Groups say what keeps them together, what TRUNCATE reaches and what is checked at the end")
    func groups() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            try await fixture.execute(
                fixture.target,
                """
                create table review (sale_id int references sale); insert into note values (1), (2), (3);
                create function t() returns trigger language plpgsql as 'begin return new; end';
                create trigger log after insert on sale for each row execute function t();
                create trigger mark after insert on note for each row execute function t(); analyze note;
                """
            )
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}',
                tables: [{name: note}, {name: maker, truncate: false}, {name: sale, truncate: true},
                {name: product, truncate: true}]}
                """
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let plan = try await plan(fixture, yaml)
            #expect(plan.isWithoutProblems)
            #expect(
                plan.groups.map { $0.tables.map(\.name) } == [
                    ["public.note"], ["public.maker"], ["public.sale", "public.product"],
                ]
            )
            let group = try #require(plan.groups.last)
            #expect(
                group.bonds.map(\.description) == ["public.sale and public.product refer to one another in a cycle"]
            )
            #expect(plan.cycles.map { $0.map(\.name) } == [["public.sale", "public.product"]])
            #expect(group.truncated.sorted() == ["public.product", "public.review", "public.sale"])
            #expect(group.emptyReferrers == ["public.review"] && group.cascaded == [])
            #expect(
                group.reach.map { "\($0.table) \($0.key) \($0.referenced)" } == [
                    "public.review public.review.sale_id public.sale"
                ]
            )
            #expect(
                group.deferredKeys.map(\.description).sorted() == [
                    "public.product.best_sale", "public.sale.product_id",
                ]
            )
            #expect(group.references == [1])
            #expect(plan.tables.map { $0.load?.disabledTriggers } == [[], [], ["log"], []])
            #expect(plan.tables.map { $0.load?.firingTriggers } == [["mark"], [], [], []])
            #expect(plan.tables.first?.load?.existingRows == 3)
            #expect(plan.tables.map { $0.load?.truncate } == [.keep, .keep, .truncate, .truncate])
            #expect(PlanGraph(plan).dot.contains("public.review\\nmust be empty"))
        }
    }

    @Test("The mode of each table is in the plan, with the key by which rows are recognized")
    func modes() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int primary key, x int unique)")
            try await fixture.execute(fixture.source, "insert into a values (1, 1)")
            #expect(try await fixture.backup(fixture.yaml("[a]")).failed.isEmpty)
            for (mode, columns) in [
                ("append", []), ("replace", []), ("upsert", ["id"]), ("upsert, conflict_columns: [x]", ["x"]),
                ("skip_existing", []),
            ] {
                let yaml = "{root_location: \(fixture.folder), location: '{table}', tables: [{name: a, mode: \(mode)}]}"
                let load = try #require(try await plan(fixture, yaml).tables.first?.load)
                #expect(mode.hasPrefix(load.mode.rawValue) && load.keyColumns == columns, "\(load)")
            }
        }
    }

    @Test("A table that is restored under another name is named as in the target, and a single transaction is said")
    func renamed() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table a (id int); create table b (id int)")
            try await fixture.execute(fixture.source, "insert into a values (1)")
            #expect(try await fixture.backup(fixture.yaml("[a]")).failed.isEmpty)
            let more = "rename: {table: {public.a: public.b}}, transaction: all, tables: [a]"
            let yaml = "{root_location: \(fixture.folder), location: '{table}', \(more)}"
            let plan = try await plan(fixture, yaml)
            #expect(plan.isWithoutProblems && plan.isOneTransaction)
            #expect(plan.tables.map(\.job.name) == ["public.b"] && plan.tables.map(\.storedName) == ["public.a"])
            #expect(plan.tables.map { "\($0.reason)" } == ["exact name"])
            let report = try await fixture.restore(yaml)
            #expect(plan.tables.map(\.job) == report.finished.map(\.job))
        }
    }

    @Test("What would fail is in the plan with what depends on it, and the rest is planned")
    func failures() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            try await fixture.execute(fixture.target, "alter table maker add must text not null")
            let yaml = fixture.yaml("[\"public.*\"]")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let events = EventLog()
            let plan = try await plan(fixture, yaml, events: events)
            let report = try await fixture.restore(yaml)
            #expect(!plan.isWithoutProblems)
            #expect(plan.failures.map(\.sentence) == report.failed.map(\.sentence))
            #expect(plan.failures.count == 3)
            #expect(
                plan.tables.map(\.job) == report.finished.map(\.job) && plan.tables.map(\.job.name) == ["public.note"]
            )
        }
    }

    @Test("The set that was asked for says so, and one that is passed over is a warning")
    func sets() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            let yaml = fixture.yaml("[\"public.*\"]")
            func backup(_ yaml: String, _ second: Double) async throws -> RunReport {
                let environment = RunEnvironment(now: Date(timeIntervalSince1970: 1_767_236_400 + second))
                return try await BackupRun(try fixture.configuration(yaml), environment: environment).run()
            }
            let (first, second) = (try await backup(yaml, 0), try await backup(fixture.yaml("[note]"), 1))
            let newest = try await plan(fixture, yaml)
            #expect(newest.set?.id == first.set && newest.set?.tables == 4)
            let warnings = newest.findings.filter { $0.kind == .warning }.map(\.message)
            #expect(warnings.contains { $0.hasPrefix("the set \(second.set ?? "") lacks ") }, "\(warnings)")
            let asked = try await plan(fixture, fixture.yaml("[note]"), set: .id(second.set ?? ""))
            #expect(asked.set?.id == second.set && asked.set?.reason == "it is asked for by --set")
            try fixture.forgetSets()
            #expect(try await plan(fixture, yaml).set == nil)
        }
    }

    @Test("A database that would be re-created is planned from the files, and stays as it is")
    func clean() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, rows)
            let yaml = fixture.yaml("[\"public.*\"]").dropLast() + ", ddl: {enabled: true, clean: true}}"
            #expect(try await fixture.backup(String(yaml)).failed.isEmpty)
            let before = try await state(fixture)
            let plan = try await plan(fixture, String(yaml))
            #expect(try await state(fixture) == before)
            #expect(
                Set(plan.tables.map(\.job.name)) == ["public.maker", "public.note", "public.product", "public.sale"]
            )
            #expect(plan.tables.allSatisfy { $0.load?.isNew == true } && plan.definitions.count == 4)
        }
    }

    @Test(
        "The locks of a group are those that the server has when its rows are loaded",
        arguments: [TruncateMode.truncate, .keep]
    )
    func locks(mode: TruncateMode) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                schema + """
                    create table day (on_day date primary key) partition by range (on_day);
                    create table day_1 partition of day for values from ('2026-01-01') to ('2026-02-01');
                    create table entry (on_day date references day, note int);
                    create function t() returns trigger language plpgsql as 'begin return new; end';
                    create trigger log after insert on entry for each row execute function t();
                    insert into maker values (1);
                    """
            )
            let configuration = try fixture.configuration(fixture.yaml("[note]"))
            let file = FileInfo(path: .local("x.csv"), size: 1, modified: Date(timeIntervalSince1970: 0), version: nil)
            let modes: [(String, TruncateMode)] = [
                ("product", mode), ("sale", mode), ("note", .keep), ("day", mode), ("entry", mode),
            ]
            try await fixture.session(configuration, .restore) { session in
                let catalog = try await session.readCatalog(without: nil)
                let jobs = modes.enumerated().flatMap { number, mode in
                    catalog.named("public.\(mode.0)").map { relation in
                        RestoreJob(
                            id: JobID(.rows, of: relation.name.label, number: number),
                            relation: relation,
                            file: file,
                            truncate: mode.1,
                            isStrict: false
                        )
                    }
                }
                let keys = Dictionary(grouping: catalog.foreignKeys, by: \.referencing)
                let states = try await session.withTransaction(.catalog) {
                    try await TargetStateReader(connection: session.connection).read(catalog.relations)
                }
                let groups = LoadGrouping(catalog: catalog).groups(of: jobs)
                #expect(groups.count == (mode == .keep ? 4 : 3))
                for group in groups {
                    let preparation = GroupPreparation(
                        connection: session.connection,
                        catalog: catalog,
                        loadGroup: group,
                        triggers: group.jobs.flatMap { states[$0.relation.oid]?.triggers ?? [] }
                    )
                    let held = try await session.withTransaction(.writing) {
                        try await preparation.begin()
                        for (name, values) in [
                            ("product", "(1, 1, 1)"), ("sale", "(1, 1)"), ("note", "(1)"), ("day", "('2026-01-03')"),
                            ("entry", "('2026-01-03', 1)"),
                        ] where group.jobs.contains(where: { $0.relation.name.name == name }) {
                            try await session.connection.execute("insert into public.\(name) values \(values)")
                        }
                        try await preparation.end()
                        return try await heldLocks(session.connection)
                    }
                    #expect(preparation.locks(checking: keys).map { "\($0.table) \($0.mode)" } == held)
                }
            }
        }
    }

    /// The strongest lock of the session on each table, as SQL writes it.
    private func heldLocks(_ connection: Connection) async throws -> [String] {
        let modes = ["RowShareLock", "RowExclusiveLock", "ShareRowExclusiveLock", "AccessExclusiveLock"]
        let names = ["ROW SHARE", "ROW EXCLUSIVE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"]
        let rows = try await connection.query(
            """
            select 'public.' || c.relname as name, max(array_position($1::text[], l.mode)) as strength
            from pg_locks l join pg_class c on c.oid = l.relation
            where l.pid = pg_backend_pid() and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
                and l.mode = any ($1::text[])
            group by 1 order by 1
            """,
            ["{\(modes.joined(separator: ","))}"]
        ).rows
        return rows.compactMap { row in
            row["strength"].flatMap { Int($0) }.map { "\(row["name"] ?? "") \(names[$0 - 1])" }
        }
    }
}
