import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores with definitions")
struct DefinitionRestoreTests {
    private let shop = """
        create table product (id serial primary key, name text not null); create index on product (name);
        create table sale (id int primary key, product_id int not null references product);
        insert into product (name) values ('tea'), ('cake'); insert into sale values (1, 1), (2, 2);
        """
    private let rows = "select name from product order by id"

    /// A target with old tables, which a restore is about to replace.
    private func withOldShop(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key, old text); create table sale (id int);
                insert into product values (9, 'old'); insert into sale values (9);
                """
            )
            try await body(fixture)
        }
    }

    private func expectOldShop(_ fixture: RunFixture) async throws {
        #expect(try await fixture.rows(fixture.target, "select * from product") == ["9|old"])
        #expect(try await fixture.rows(fixture.target, "select * from sale") == ["9"])
    }

    @Test("Listed tables replace those that exist, again and again")
    func replace() async throws {
        try await withOldShop { fixture in
            for _ in 1...2 {
                let report = try await fixture.restore(fixture.ddlYAML("['public.*']"))
                #expect(report.failed.isEmpty)
                try await fixture.expectEqualDefinitions()
                #expect(try await fixture.rows(fixture.target, rows) == ["tea", "cake"])
                #expect(try await fixture.rows(fixture.target, "select last_value from product_id_seq") == ["2"])
            }
        }
    }

    @Test("An existing table is not replaced when its rows are missing")
    func missingRows() async throws {
        try await withOldShop { fixture in
            try fixture.forgetSets()
            for file in try fixture.files() where file.hasPrefix("public.sale/") && file.hasSuffix(".csv") {
                try FileManager.default.removeItem(atPath: fixture.folder + "/" + file)
            }
            let lines = await fixture.preflightLines(fixture.ddlYAML("['public.*']"))
            #expect(lines.contains { $0.contains("public.sale: there is no data file") })
            try await expectOldShop(fixture)
        }
    }

    @Test("A definition that is not SQL is reported with its file, and nothing changes")
    func brokenSQL() async throws {
        try await withOldShop { fixture in
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.sale/ddl/") })
            try fixture.write(fixture.text(file).replacing("CREATE TABLE", with: "CREATE TABEL"), to: file)
            try fixture.forgetSets()
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.ddlYAML("['public.*']"))
            }
            #expect(error?.description.contains(file) == true)
            #expect(error?.description.contains("syntax error at or near \"TABEL\"") == true)
            #expect(error?.effect == .nothingChanged)
            try await expectOldShop(fixture)
        }
    }

    @Test("A role that does not own a listed table is refused, and nothing changes")
    func notOwner() async throws {
        try await PostgresServer.withRole { role in
            try await withOldShop { fixture in
                let name = quotedIdentifier(role)
                try await fixture.execute(fixture.target, "grant all on product, sale to \(name)")
                let error = await #expect(throws: DatabudgieError.self) {
                    try await fixture.connected(as: role).restore(fixture.ddlYAML("['public.*']"))
                }
                #expect(error?.code == .preflight)
                #expect(error?.description.contains("; connect as their owner") == true)
                #expect(error?.effect == .nothingChanged)
                try await expectOldShop(fixture)
                try await fixture.execute(fixture.target, "drop owned by \(name)")
            }
        }
    }

    @Test("A publication that loses a re-created table is named")
    func publications() async throws {
        try await withOldShop { fixture in
            try await fixture.execute(fixture.target, "create publication news for table sale")
            let events = EventLog()
            _ = try await fixture.restore(fixture.ddlYAML("['public.*']"), events: events)
            let loss = "sale: it is re-created, so the publication news loses it"
            #expect(events.warnings.contains { $0.contains(loss) })
        }
    }

    @Test("Privileges are granted after the rows and together with the policies")
    func rights() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table secret (i int); grant select on secret to public")
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.secret/ddl/") })
            let unit = DefinitionScript.Unit(schema: "public", table: "secret")
            let right = try DefinitionScript(text: fixture.text(file), of: unit).definitions.first { $0.type == "ACL" }
            #expect(right?.section == .postData)
            _ = try await fixture.restore(fixture.ddlYAML("['public.*']"))
            try await fixture.expectEqualDefinitions()
        }
    }

    @Test("A table of an extension is created with it, and the others are restored all the same")
    func extensionTables() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create extension citext; create table member (i int); alter extension citext add table member; create table t (i int)"
            )
            let events = EventLog()
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"), events: events)
            #expect(events.warnings.contains { $0.contains("public.member") && $0.contains("extension") })
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"))
            #expect(report.failed.isEmpty)
            let tables = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
            #expect(try await fixture.rows(fixture.target, tables) == ["t"])
        }
    }

    @Test("A dry run changes nothing, whether the tables exist or not")
    func dryRun() async throws {
        try await withOldShop { fixture in
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"), isDryRun: true)
            #expect(report.failed.isEmpty)
            try await expectOldShop(fixture)
            try await fixture.execute(fixture.target, "drop table product, sale")
            _ = try await fixture.restore(fixture.ddlYAML("['public.*']"), isDryRun: true)
            #expect(try await fixture.names(fixture.target).isEmpty)
        }
    }

    @Test("A bad row leaves the old tables as they were, and names the file")
    func badRow() async throws {
        try await withOldShop { fixture in
            try fixture.write("id,product_id\n1,1\nx,2\n", to: "public.sale/2999-01-01T00:00:00.csv")
            try fixture.forgetSets()
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"))
            #expect(report.finished.isEmpty)
            #expect(Set(report.failed.map(\.job.description)) == ["public.product", "public.sale"])
            #expect(report.failed.contains { $0.message.contains("line 3, column id") })
            try await expectOldShop(fixture)
        }
    }

    @Test("A foreign key that the new rows break leaves the old tables as they were")
    func brokenKey() async throws {
        try await withOldShop { fixture in
            try fixture.write("id,product_id\n1,77\n", to: "public.sale/2999-01-01T00:00:00.csv")
            try fixture.forgetSets()
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.ddlYAML("['public.*']"))
            }
            #expect(error?.problems.first?.description.hasPrefix("public.sale: the fk constraint in ") == true)
            #expect(error?.problems.first?.description.contains("Key (product_id) is not present") == true)
            #expect(error?.problems.first?.description.contains("(77)") == false)
            #expect(error?.effect == .rolledBack)
            try await expectOldShop(fixture)
        }
    }

    @Test("A run that is cancelled half-way leaves the old tables as they were")
    func cancelled() async throws {
        try await withOldShop { fixture in
            // The old table cannot be dropped while somebody reads it.
            let started = EventLog()
            try await Connection.withConnection(to: fixture.target) { blocker in
                try await blocker.withTransaction { blocker in
                    try await blocker.execute("lock table sale in access share mode")
                    let run = Task { try await fixture.restore(fixture.ddlYAML("['public.*']"), events: started) }
                    try await poll("the restore waits for the table") {
                        try await fixture.rows(
                            fixture.source,
                            "select 1 from pg_locks l join pg_database d on d.oid = l.database "
                                + "where not granted and datname = '\(fixture.target.keywords["dbname"] ?? "")'"
                        ).isEmpty == false
                    }
                    run.cancel()
                    await #expect(throws: CancellationError.self) { try await run.value }
                }
            }
            try await expectOldShop(fixture)
        }
    }

    @Test(
        "What is not listed and depends on a listed table is named, and nothing is changed",
        arguments: [
            ("create view v as select id from product", "view public.v"),
            ("create view v as select id from product; create materialized view m as select * from v", "view public.v"),
            ("create table other (p int references product)", "constraint other_p_fkey on table public.other"),
            (
                "create function f() returns setof product language sql as 'select * from product'",
                "function public.f()"
            ),
            ("create table child () inherits (product)", "table public.child"),
            ("create table typed (p product)", "table public.typed"),
            (
                "create function g() returns bigint begin atomic select count(*) from product; end",
                "function public.g()"
            ),
        ]
    )
    func dependents(_ sql: String, _ name: String) async throws {
        try await withOldShop { fixture in
            try await fixture.execute(fixture.target, sql)
            let error = await #expect(throws: DatabudgieError.self) {
                try await fixture.restore(fixture.ddlYAML("['public.product', 'public.sale']"))
            }
            #expect(error?.code == .preflight)
            #expect(error?.effect == .nothingChanged)
            let lines = error?.problems.map(\.message) ?? []
            #expect(lines.contains { $0.hasPrefix("\(name) depends on ") }, "\(lines)")
            try await expectOldShop(fixture)
        }
    }

    @Test("A partition that the backup does not know is named, and nothing is changed")
    func unlistedPartition() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table p (id int) partition by range (id);
                create table p_a partition of p for values from (0) to (10);
                """
            )
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
            try await fixture.execute(
                fixture.target,
                "create table p_b partition of p for values from (10) to (20); insert into p values (11)"
            )
            let lines = await fixture.preflightLines(fixture.ddlYAML("['public.*']"))
            #expect(lines.first?.hasPrefix("table public.p_b depends on table public.p, which") == true, "\(lines)")
            #expect(try await fixture.rows(fixture.target, "select id from p") == ["11"])
        }
    }

    @Test("Views on views of both kinds are replaced together with their tables")
    func viewsOnViews() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table t (id int primary key, name text); insert into t values (1, 'x');
                create materialized view a as select * from t; create view b as select * from a;
                create materialized view c as select * from b; create view d as select * from c;
                create materialized view by_key as select id, name, count(*) from t group by id;
                """
            )
            let yaml = fixture.ddlYAML("[t, a, b, c, d, by_key]", "strict: true")
            for _ in 1...2 { try await fixture.copy(yaml) }
            try await fixture.expectEqualDefinitions()
            #expect(try await fixture.rows(fixture.target, "select d.name, by_key.count from d, by_key") == ["x|1"])
        }
    }

    @Test("What exists and is not listed keeps its owner, comment, privileges and definition")
    func unlisted() async throws {
        try await RunFixture.withRole { fixture, role in
            let things = """
                create schema s; create extension citext with schema s; create type s.e as enum ('x');
                create function s.f() returns int language sql as 'select 1'; create sequence s.q;
                create table s.parent (id int primary key);
                """
            try await fixture.execute(
                fixture.source,
                things + """
                    comment on schema s is 'theirs'; comment on type s.e is 'theirs'; comment on extension citext is 'theirs';
                    grant usage on schema s to \(role); grant execute on function s.f() to \(role);
                    alter type s.e owner to \(role); alter function s.f() owner to \(role); alter schema s owner to \(role);
                    alter sequence s.q owner to \(role); select nextval('s.q');
                    create table s.t (e s.e default 'x', n int default s.f(), c s.citext, p int references s.parent);
                    insert into s.parent values (1); insert into s.t (p) values (1);
                    """
            )
            try await fixture.execute(
                fixture.target,
                things + "comment on schema s is 'ours'; insert into s.parent values (1), (7)"
            )
            let before = try await fixture.definitions(of: fixture.target)
            let yaml = fixture.ddlYAML("[s.t]")
            try await fixture.copy(yaml)
            #expect(try await fixture.rows(fixture.target, "select e, n, p from s.t") == ["x|1|1"])
            try await fixture.execute(fixture.target, "drop table s.t")
            #expect(try await fixture.definitions(of: fixture.target) == before)
            #expect(try await fixture.rows(fixture.target, "select id from s.parent order by 1") == ["1", "7"])
            #expect(try await fixture.rows(fixture.target, "select is_called from s.q") == ["f"])
        }
    }

    @Test("Each missing role is a warning, also in a policy and for a name with a line break")
    func missingRoles() async throws {
        try await RunFixture.with { fixture in
            try await PostgresServer.withRole { role in
                try await fixture.execute(
                    fixture.source,
                    """
                    create table "a\nb" (id int); alter table "a\nb" owner to \(role);
                    create table t (id int); grant select on t to \(role); alter table t enable row level security;
                    create policy p on t to \(role) using (true); comment on policy p on t is 'x';
                    create policy q on t using (true); alter default privileges grant select on tables to \(role);
                    """
                )
                _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
                try await fixture.execute(fixture.source, "drop owned by \(role); drop table if exists \"a\nb\"")
            }
            let events = EventLog()
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"), events: events)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(events.warnings.contains { $0.contains("an owner or a privilege could not be set") })
            #expect(events.warnings.contains { $0.hasPrefix("a policy of public.t is skipped: ") })
            #expect(try await fixture.rows(fixture.target, "select polname from pg_policy") == ["q"])
            #expect(try await fixture.names(fixture.target) == ["\"a\nb\"", "t"])
        }
    }

    @Test("A foreign key to a missing table or schema is skipped with its comment, with a warning")
    func missingReference() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create schema s; create table s.far (id int primary key); create table near (id int primary key);
                create table t (a int constraint far references s.far, b int constraint near references near);
                comment on constraint far on t is 'x'; comment on constraint near on t is 'x';
                """
            )
            let events = EventLog()
            _ = try await fixture.backup(fixture.ddlYAML("[t]"))
            let report = try await fixture.restore(fixture.ddlYAML("[t]"), events: events)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(events.warnings.filter { $0.hasPrefix("a foreign key of public.t is skipped: ") }.count == 2)
            #expect(try await fixture.names(fixture.target) == ["t"])
        }
    }

    @Test(
        "An ordinary role that owns the database restores into it",
        .enabled("needs an extension that such a role may create") {
            try await ServerBuild.shared.extensions.contains("citext")
        }
    )
    func ordinaryRole() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(fixture.source, RichSchema.definitions(role: role))
            try await fixture.execute(fixture.source, RichSchema.rows)
            let yaml = fixture.ddlYAML("[app.customer, app.orders, app.event, app.room, app.event_note]")
            _ = try await fixture.backup(yaml)
            let database = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
            try await fixture.execute(fixture.target, "alter database \(database) owner to \(quotedIdentifier(role))")
            let extensions = "create schema types; create extension btree_gist; create extension citext schema types"
            try await fixture.connected(as: role).execute(fixture.connected(as: role).target, extensions)
            for _ in 1...2 {
                let report = try await fixture.connected(as: role).restore(yaml)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(try await fixture.rows(fixture.target, "select count(*) from app.customer") == ["2"])
                try await fixture.execute(fixture.target, "drop function if exists app.setof_c()")
            }
        }
    }

    @Test(
        "An index or key that the rows of a new table break is reported with the table's name, and the others are created"
    )
    func brokenIndex() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
            try fixture.write("id,name\n1,tea\n1,cake\n", to: "public.product/2999-01-01T00:00:00.csv")
            try fixture.forgetSets()
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"))
            #expect(
                report.failed.contains { $0.job.description == "public.product" && $0.message.contains("Key (id)") }
            )
            #expect(try await fixture.rows(fixture.target, rows) == ["tea", "cake"])
            let indexes =
                "select indexrelid::regclass from pg_index where indrelid::regclass::text !~ '^pg_' order by 1"
            #expect(try await fixture.rows(fixture.target, indexes).sorted() == ["product_name_idx", "sale_pkey"])
        }
    }

    @Test("A list or a file that is missing or damaged stops the run before anything is changed")
    func damagedFiles() async throws {
        try await withOldShop { fixture in
            let yaml = fixture.ddlYAML("['public.*']")
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.sale/ddl/") })
            let text = try fixture.text(file)
            try fixture.forgetSets()
            try fixture.write(text.replacing("\"order\"", with: "order"), to: file)
            let damaged = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml) }
            #expect(damaged?.problems.first?.description.contains("\(file) is damaged") == true)
            #expect(damaged?.effect == .nothingChanged)
            try FileManager.default.removeItem(atPath: fixture.folder + "/" + file)
            #expect(
                await fixture.preflightLines(yaml).first?.hasPrefix("public.sale: there is no definition in ") == true
            )
            try FileManager.default.removeItem(atPath: fixture.folder + "/backups/ddl")
            #expect(await fixture.preflightLines(yaml).first?.hasPrefix("there is no list of tables in ") == true)
            try await expectOldShop(fixture)
        }
    }
}
