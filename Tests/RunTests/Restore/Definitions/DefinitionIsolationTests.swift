import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores in which one definition is missing or damaged")
struct DefinitionIsolationTests {
    private let schema = """
        create table product (id serial primary key, name text);
        create table sale (id int primary key, product_id int references product);
        create table refund (sale_id int references sale);
        create table special (discount int) inherits (product);
        create view cheap as select p.name from product p;
        create view cheapest as select name from cheap limit 1;
        create function names() returns setof product language sql as 'select * from product';
        create table other (id int primary key, "public.product" text); create view others as select id from other;
        create table secret (id int); alter table secret enable row level security;
        create policy sold on secret using (exists (select from product p where p.id = secret.id));
        insert into product (name) values ('tea'); insert into sale values (1, 1); insert into refund values (1);
        insert into special values (2, 'cake', 5); insert into other values (3); insert into secret values (1);
        """
    private let dependents = ["sale", "refund", "special", "cheap", "cheapest", "secret"]

    /// What can be wrong with a file, and what is said about it.
    enum Damage: CaseIterable {
        case missing, unfinished, unreadableMark, danglingLink

        var sentence: String {
            switch self {
            case .missing: "there is no definition in "
            case .unfinished: "is damaged: a quote or a comment in it has no end"
            case .unreadableMark: "is damaged: a comment line that begins with '-- databudgie' cannot be read"
            case .danglingLink: " cannot be read: it does not exist"
            }
        }

        func apply(to file: String, _ fixture: RunFixture) throws {
            let path = fixture.folder + "/" + file
            let text = try fixture.text(file)
            try FileManager.default.removeItem(atPath: path)
            switch self {
            case .missing: break
            case .unfinished: try fixture.write(text + "\ncomment on table x is 'y", to: file)
            case .unreadableMark: try fixture.write(text.replacing("\"order\"", with: "order"), to: file)
            case .danglingLink:
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere.sql")
            }
        }
    }

    private func withBackup(
        _ schema: String,
        of tables: String = "['public.*']",
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try #require(try await fixture.backup(fixture.ddlYAML(tables)).failed.isEmpty)
            try fixture.forgetSets()
            try await body(fixture)
        }
    }

    /// The file of a table's definitions.
    private func file(_ fixture: RunFixture, _ table: String) throws -> String {
        try #require(try fixture.files().first { $0.contains("\(table)/ddl/") })
    }

    private func expectShop(
        _ fixture: RunFixture,
        _ report: RunReport,
        _ damage: Damage,
        isDryRun: Bool = false
    ) async throws {
        let failed = report.failed
        #expect(failed.first?.job.name == "public.product")
        #expect(failed.first?.message.contains(damage.sentence) == true, "\(failed)")
        #expect(failed.first?.hint != nil)
        let consequences = dependents.map {
            "public.\($0): not restored, because it depends on public.product, which failed"
        }
        #expect(failed.dropFirst().map(\.sentence).sorted() == consequences.sorted())
        #expect(report.finished.map(\.job.name) == (isDryRun ? [] : ["public.other"]))
        #expect(report.definitions == (isDryRun ? [] : ["public.other", "public.others"]))
        #expect(try await fixture.names(fixture.target) == (isDryRun ? [] : ["other", "others"]))
    }

    @Test("It fails with all tables that need it, and the others are restored", arguments: Damage.allCases)
    func alone(_ damage: Damage) async throws {
        try await withBackup(schema) { fixture in
            try damage.apply(to: try file(fixture, "public.product"), fixture)
            let events = EventLog()
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"), events: events)
            try await expectShop(fixture, report, damage)
            #expect(try await fixture.rows(fixture.target, "select id from others") == ["3"])
            let keys = "select conname from pg_constraint where conrelid = 'other'::regclass and contype = 'p'"
            #expect(try await fixture.rows(fixture.target, keys) == ["other_pkey"])
            #expect(events.all.count { if case .failed = $0 { true } else { false } } == 1 + dependents.count)
            let lost = "is skipped, because it names public.product, which is not restored"
            #expect(events.warnings.count { $0.contains("a definition (FUNCTION) in ") && $0.contains(lost) } == 1)
            #expect(!events.warnings.contains { $0.contains("matches no table") })
        }
    }

    @Test("The same holds for entries that name the tables, in a dry run, and for files without marks")
    func variants() async throws {
        try await withBackup(schema) { fixture in
            try Damage.missing.apply(to: try file(fixture, "public.product"), fixture)
            let named = (["product", "other", "others"] + dependents).joined(separator: ", ")
            let dry = try await fixture.restore(fixture.ddlYAML("[\(named)]"), isDryRun: true)
            try await expectShop(fixture, dry, .missing, isDryRun: true)
            for file in try fixture.files() where file.hasSuffix(".sql") {
                let lines = try fixture.text(file).split(separator: "\n", omittingEmptySubsequences: false)
                try fixture.write(
                    lines.filter { !$0.hasPrefix("-- databudgie") }.joined(separator: "\n"),
                    to: file
                )
            }
            try await expectShop(fixture, try await fixture.restore(fixture.ddlYAML("[\(named)]")), .missing)
        }
    }

    @Test("A partition, its table and all other partitions of it fail together", arguments: ["event", "event_low"])
    func partitions(_ damaged: String) async throws {
        let schema = """
            create table event (id int) partition by range (id);
            create table event_low partition of event for values from (0) to (10);
            create table event_high partition of event for values from (10) to (20);
            create table other (id int); insert into event values (1), (11); insert into other values (3);
            """
        try await withBackup(schema) { fixture in
            try Damage.missing.apply(to: try file(fixture, "public.\(damaged)"), fixture)
            let report = try await fixture.restore(fixture.ddlYAML("['public.*']"))
            #expect(report.failed.first?.job.name == "public.\(damaged)")
            #expect(
                Set(report.failed.map(\.job.name)) == ["public.event", "public.event_low", "public.event_high"]
            )
            #expect(report.finished.map(\.job.name) == ["public.other"])
            #expect(try await fixture.names(fixture.target) == ["other"])
        }
    }

    @Test("The file of a schema fails the schema's tables, and a table that is included fails those that refer to it")
    func schemas() async throws {
        let schema = """
            create schema app; create table app.t (id int primary key); create table other (id int);
            create table more (t_id int references app.t);
            """
        try await withBackup(schema, of: "['*.*']") { fixture in
            try Damage.unfinished.apply(to: try file(fixture, "app"), fixture)
            let report = try await fixture.restore(fixture.ddlYAML("['*.*']"))
            #expect(
                report.failed.dropFirst().map(\.sentence) == [
                    "app.t: not restored, because it depends on the schema app, which failed",
                    "public.more: not restored, because it depends on the schema app, which failed",
                ]
            )
            #expect(report.failed.first?.job.name == "app")
            #expect(report.finished.map(\.job.name) == ["public.other"])
        }
        let tables = "[{name: more, follow_foreign_keys: true}, other]"
        try await withBackup(schema, of: tables) { fixture in
            try Damage.unfinished.apply(to: try file(fixture, "app.t"), fixture)
            let report = try await fixture.restore(fixture.ddlYAML(tables))
            #expect(report.failed.map(\.job.name) == ["app.t", "public.more"])
            #expect(report.finished.map(\.job.name) == ["public.other"])
        }
    }

    /// Why one definition stops everything.
    enum Reason: CaseIterable {
        case strictRun, strictTable, strictDependent, replacement, existingTable, nothingLeft
    }

    @Test(
        "Nothing is touched when it or what needs it is strict, tables are replaced, or none is left",
        arguments: Reason.allCases
    )
    func stops(_ reason: Reason) async throws {
        try await withBackup(schema) { fixture in
            let product = try file(fixture, "public.product")
            try Damage.missing.apply(to: product, fixture)
            var (tables, more) = ("['public.*']", "")
            switch reason {
            case .strictRun: more = "strict: true"
            case .strictTable: tables = "[{name: product, strict: true}, {name: 'public.*', exclude: [product]}]"
            case .strictDependent: tables = "[{name: refund, strict: true}, {name: 'public.*', exclude: [refund]}]"
            case .replacement: try await fixture.execute(fixture.target, "create table other (x int)")
            case .existingTable: try await fixture.execute(fixture.target, "create table product (x int)")
            case .nothingLeft: tables = "[product, sale]"
            }
            let before = try await fixture.names(fixture.target)
            let lines = await fixture.preflightLines(fixture.ddlYAML(tables, more))
            #expect(lines.contains { $0.hasPrefix("public.product: there is no definition in ") }, "\(lines)")
            #expect(try await fixture.names(fixture.target) == before)
        }
    }
}
