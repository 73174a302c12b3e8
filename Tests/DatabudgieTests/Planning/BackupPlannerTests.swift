import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Backup plans")
struct BackupPlannerTests {
    private func plan(_ catalog: DatabaseCatalog, _ entries: [BackupEntry], isStrict: Bool = false) throws -> BackupPlan
    {
        let moment = RunTimestamp(Date(timeIntervalSince1970: 1_619_427_600))
        return try BackupPlanner(catalog: catalog, timestamp: moment, isStrict: isStrict).plan(entries)
    }

    private func warnings(_ plan: BackupPlan) -> [String] {
        plan.findings.filter { $0.kind == .warning }.map(\.description)
    }

    private let shop = Fixture.catalog(
        [
            Fixture.relation(1, "sales"), Fixture.relation(2, "products"), Fixture.relation(3, "customers"),
            Fixture.relation(4, "totals", kind: .view),
        ],
        keys: [Fixture.key(1, 2), Fixture.key(1, 3)]
    )

    @Test("A glob finds tables, referenced ones first, and no views")
    func glob() throws {
        let plan = try plan(shop, [Fixture.backup(Fixture.options("public.*"))])
        #expect(plan.jobs.map(\.id.description) == ["public.customers", "public.products", "public.sales"])
        #expect(plan.jobs[0].path.description == "backups/public.customers/2021-04-26T09:00:00.csv")
        #expect(plan.jobs[0].query.sql == #"select * from "public"."customers""#)
    }

    @Test("No two tables share a path on a disk that ignores case", arguments: ["{table}", "x/{table}"])
    func caseTwins(location: String) throws {
        let names = ["A", "a", "Ab", "aB", "AB", "ab", "É", "é", "b"]
        let relations =
            names.enumerated().map { Fixture.relation(UInt32($0.offset + 1), $0.element) } + [
                Fixture.relation(50, "a", schema: "Public"), Fixture.relation(51, "B", schema: "other"),
            ]
        let catalog = Fixture.catalog(relations)
        let plan = try plan(catalog, [Fixture.backup(Fixture.options("*.*", location: location))])
        #expect(plan.jobs.count == relations.count)
        let paths = plan.jobs.flatMap { [$0.path.description, $0.sequencesPath.description] }
        #expect(Set(paths.map { $0.lowercased() }).count == 2 * relations.count)
        // All names without a twin are written as ever.
        #expect(paths.contains { $0.hasSuffix("other.B/2021-04-26T09:00:00.csv") })
        #expect(paths.contains { $0.hasSuffix("public.b/2021-04-26T09:00:00.csv") })
        #expect(paths.contains { $0.hasSuffix("public.a/2021-04-26T09:00:00.csv") })
        // One of the two is enough to need the other form: it may be on the disk already.
        let alone = try self.plan(catalog, [Fixture.backup(Fixture.options("A", location: location))])
        #expect(alone.jobs.map(\.path.description).allSatisfy { $0.hasSuffix("public.%41/2021-04-26T09:00:00.csv") })
    }

    @Test("Several tables in one folder are told to write {table} into the location")
    func oneFolder() throws {
        let error = #expect(throws: DatabudgieError.self) {
            try plan(shop, [Fixture.backup(Fixture.options("public.*", location: "DIR"))])
        }
        #expect(
            error?.problems.first?.hint == "give each table a folder of its own: write the location as 'DIR/{table}'"
        )
        #expect(error?.problems.count == 1)
        let written = "3 jobs would write the same file, DIR/2021-04-26T09:00:00.csv: the table public.customers is"
        #expect(error?.problems.first?.message.hasPrefix(written) == true)
        #expect(error?.problems.first?.message.hasSuffix(" and 1 more") == true)
    }

    @Test("A view is found by its name, and a name without a dot is in the default schema")
    func viewByName() throws {
        let plan = try plan(shop, [Fixture.backup(Fixture.options("totals"))])
        #expect(plan.jobs.map(\.id.description) == ["public.totals"])
    }

    @Test("Exclusions without a dot match the bare name")
    func exclusions() throws {
        let plan = try plan(shop, [Fixture.backup(Fixture.options("public.*", exclude: ["sale?", "public.cust*"]))])
        #expect(plan.jobs.map(\.id.description) == ["public.products"])
    }

    @Test("A name that matches nothing is a warning, in a strict run an error, and an error when nothing matches")
    func unmatched() throws {
        let entries = [try Fixture.backup(Fixture.options("sales")), try Fixture.backup(Fixture.options("saels"))]
        #expect(try warnings(plan(shop, entries)) == ["test.yml:1: 'saels' matches no table"])
        #expect(throws: DatabudgieError.self) { try plan(shop, entries, isStrict: true) }
        #expect(throws: DatabudgieError.self) { try plan(shop, [entries[1]]) }
    }

    @Test("A name may be a label when query and location do without a table")
    func label() throws {
        let options = try Fixture.options("label", location: "reports", hasExplicitLocation: true)
        let plan = try plan(shop, [Fixture.backup(options, query: "select 1 as one;")])
        #expect(plan.jobs.map(\.query.sql) == ["select 1 as one"])
        #expect(plan.jobs[0].relation == nil)
    }

    @Test("An excluded table is not taken for a label, though its entry could do without it")
    func excludedLabel() throws {
        let options = try Fixture.options("sales", location: "x", exclude: ["sales"], hasExplicitLocation: true)
        let entries = [try Fixture.backup(options, query: "select 1"), try Fixture.backup(Fixture.options("products"))]
        let plan = try plan(shop, entries, isStrict: true)
        #expect(plan.jobs.map(\.id.description) == ["public.products"])
    }

    @Test("A partition that another entry exports with its root is reported")
    func doubleExport() throws {
        let catalog = Fixture.catalog([
            Fixture.relation(1, "events", kind: .partitionedTable, children: [2]),
            Fixture.relation(2, "events_a", isPartition: true, parents: [1]),
        ])
        let entries = [try Fixture.backup(Fixture.options("events")), try Fixture.backup(Fixture.options("events_a"))]
        #expect(try warnings(plan(catalog, entries)).count == 1)
    }

    @Test("Two jobs for one file are refused, with both named")
    func equalPaths() throws {
        let entries = [try Fixture.backup(Fixture.options("sales")), try Fixture.backup(Fixture.options("public.s*"))]
        let error = #expect(throws: DatabudgieError.self) { try plan(shop, entries) }
        #expect(error?.description.contains("'public.s*'") == true)
        #expect(error?.description.contains("'sales'") == true)
    }

    @Test("A partitioned table covers its partitions within one entry; leaves alone are exported themselves")
    func partitions() throws {
        let catalog = Fixture.catalog([
            Fixture.relation(1, "events", kind: .partitionedTable, children: [2, 3]),
            Fixture.relation(2, "events_a", isPartition: true, parents: [1]),
            Fixture.relation(3, "events_b", kind: .partitionedTable, isPartition: true, parents: [1], children: [4]),
            Fixture.relation(4, "events_b_1", isPartition: true, parents: [3]),
        ])
        #expect(
            try plan(catalog, [Fixture.backup(Fixture.options("*"))]).jobs.map(\.id.description) == ["public.events"]
        )
        #expect(
            try plan(catalog, [Fixture.backup(Fixture.options("*_*"))]).jobs.map(\.id.description)
                == ["public.events_a", "public.events_b"]
        )
        let excluding = try plan(catalog, [Fixture.backup(Fixture.options("*", exclude: ["events_b_1"]))])
        #expect(warnings(excluding).count == 1)
    }

    @Test("An inheritance parent exports its own rows only when a child is a job too")
    func inheritance() throws {
        let catalog = Fixture.catalog([
            Fixture.relation(1, "city", children: [2, 3]), Fixture.relation(2, "capital", parents: [1]),
            Fixture.relation(3, "port", parents: [1]),
        ])
        let alone = try plan(catalog, [Fixture.backup(Fixture.options("city"))])
        #expect(alone.jobs[0].query.sql == #"select * from "public"."city""#)
        let some = try plan(catalog, [Fixture.backup(Fixture.options("c*"))])
        #expect(some.jobs.map(\.query.sql).contains(#"select * from only "public"."city""#))
        #expect(warnings(some).count == 1)
        #expect(warnings(some)[0].contains("public.port"))
    }

    @Test("A query that reads children which are exported on their own is reported with their names")
    func childrenTwice() throws {
        let catalog = Fixture.catalog([
            Fixture.relation(1, "city", children: [2, 3]), Fixture.relation(2, "capital", parents: [1]),
            Fixture.relation(3, "port", parents: [1]),
        ])
        let all = try plan(catalog, [Fixture.backup(Fixture.options("*"), query: "select * from {table} where id > 1")])
        #expect(warnings(all).count == 1)
        #expect(warnings(all)[0].contains("public.capital, public.port are exported on their own"))
        let only = try plan(catalog, [Fixture.backup(Fixture.options("*"), query: "select * from only {table}")])
        #expect(warnings(only) == [])
        let alone = try plan(catalog, [Fixture.backup(Fixture.options("city"), query: "select id from {table}")])
        #expect(warnings(alone) == [])
    }

    @Test("A table that two entries export by the same query is refused; different queries are not")
    func equalExports() throws {
        let (glob, exact) = (try Fixture.options("public.*"), try Fixture.options("sales", location: "other"))
        for query in [nil, "select * from {table} where id = 1"] {
            let error = #expect(throws: DatabudgieError.self) {
                try plan(shop, [Fixture.backup(glob, query: query), Fixture.backup(exact, query: query)])
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains("public.sales: its rows would be exported twice by the same query") == true)
        }
        let some = "select * from {table} where id = 1"
        let others = "select * from {table} where id > 1"
        #expect(
            try plan(shop, [Fixture.backup(glob, query: some), Fixture.backup(exact, query: others)]).jobs.count == 4
        )
        #expect(try plan(shop, [Fixture.backup(glob), Fixture.backup(exact, query: some)]).jobs.count == 4)
    }

    @Test("A densely linked schema of 1,000 tables is ordered")
    func dense() throws {
        let relations = (1...1_000).map { Fixture.relation(UInt32($0), "t\($0)") }
        var keys: [ForeignKey] = []
        for from in 1...1_000 {
            for to in stride(from: 1, to: from, by: 7) { keys.append(Fixture.key(UInt32(from), UInt32(to))) }
        }
        let plan = try plan(Fixture.catalog(relations, keys: keys), [Fixture.backup(Fixture.options("public.*"))])
        let positions = Dictionary(
            uniqueKeysWithValues: plan.jobs.enumerated().map { ($0.element.relation?.oid, $0.offset) }
        )
        #expect(plan.jobs.count == 1_000)
        #expect(keys.allSatisfy { positions[$0.referenced, default: 0] < positions[$0.referencing, default: 0] })
    }
}
