import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Reasons of plans")
struct SelectionReasonTests {
    private func reasons(
        _ catalog: DatabaseCatalog,
        _ entries: [BackupEntry]
    ) throws -> [String] {
        let planner = BackupPlanner(
            catalog: catalog,
            timestamp: RunTimestamp(Date(timeIntervalSince1970: 0)),
            isStrict: false
        )
        return try planner.plan(entries).jobs.map { "\($0.id): \($0.selection)" }
    }

    private let chain = Fixture.catalog(
        [Fixture.relation(1, "sale"), Fixture.relation(2, "product"), Fixture.relation(3, "maker")],
        keys: [
            ForeignKey(
                name: "made",
                referencing: 2,
                referenced: 3,
                isDeferrable: false,
                isInherited: false,
                columns: ["country", "maker"]
            ),
            ForeignKey(
                name: "sold",
                referencing: 1,
                referenced: 2,
                isDeferrable: false,
                isInherited: false,
                columns: ["product_id"]
            ),
        ]
    )

    @Test("A table is there by its name, or by the glob in full")
    func names() throws {
        let entries = try ["sale", "p*", "public.[m]aker"].map { try Fixture.backup(Fixture.options($0)) }
        #expect(
            try reasons(chain, entries) == [
                "public.maker: glob public.[m]aker", "public.product: glob public.p*", "public.sale: exact name",
            ]
        )
    }

    @Test("A table whose name looks like a glob is there by its name, and what the glob matches by the glob")
    func nameLikeGlob() throws {
        let catalog = Fixture.catalog([Fixture.relation(1, "a*"), Fixture.relation(2, "ab")])
        let entries = [try Fixture.backup(Fixture.options("a*"))]
        #expect(try reasons(catalog, entries) == ["public.a*: exact name", "public.ab: glob public.a*"])
    }

    @Test("A table that is followed names the nearest key, with its columns")
    func references() throws {
        var options = try Fixture.options("sale")
        options.followsForeignKeys = true
        #expect(
            try reasons(chain, [Fixture.backup(options)]) == [
                "public.maker: public.product (country, maker) refers to it (follow_foreign_keys)",
                "public.product: public.sale.product_id refers to it (follow_foreign_keys)",
                "public.sale: exact name",
            ]
        )
    }

    @Test("Queries are there as such, by their names if they have one")
    func queries() throws {
        let unnamed = try Fixture.options(nil, location: "a", hasExplicitLocation: true)
        let named = try Fixture.options("report", location: "b", hasExplicitLocation: true)
        let entries = try [unnamed, named].map { try Fixture.backup($0, query: "select 1 as one") }
        #expect(try reasons(chain, entries) == ["a: query", "report: query 'report'"])
    }
}

@Suite("Exclusions of plans")
struct ExclusionTests {
    private let catalog = Fixture.catalog([
        Fixture.relation(1, "a"), Fixture.relation(2, "b"), Fixture.relation(3, "c"),
        Fixture.relation(4, "root", kind: .partitionedTable, children: [5, 6]),
        Fixture.relation(5, "root_1", isPartition: true, parents: [4]),
        Fixture.relation(6, "root_2", isPartition: true, parents: [4]),
    ])

    private func exclusions(_ selected: Set<UInt32>, _ entries: [TableOptions]) -> [String] {
        Exclusions(catalog: catalog, selected: selected).find(entries).map { "\($0.table): \($0.reason)" }
    }

    @Test(
        "What a glob matches and an exclusion takes out is named with the exclusion, once, unless another entry has it"
    )
    func excluded() throws {
        let entries = [
            try Fixture.options("public.?", exclude: ["x", "public.[bc]"]),
            try Fixture.options("public.?", exclude: ["b"]), try Fixture.options("public.c"),
        ]
        #expect(exclusions([1, 3], entries) == ["public.b: exclude 'public.[bc]'"])
    }

    @Test("Partitions are part of their root, excluded or not")
    func partitions() throws {
        let entries = [try Fixture.options("public.root*", exclude: ["root_2"])]
        #expect(
            exclusions([4], entries) == [
                "public.root_1: its rows are those of the partitioned table public.root",
                "public.root_2: exclude 'root_2'; its rows are those of the partitioned table public.root",
            ]
        )
    }
}
