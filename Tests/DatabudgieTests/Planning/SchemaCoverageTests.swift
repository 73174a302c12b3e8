import Postgres
import Testing

@testable import Databudgie

@Suite("Schemas that entries cover whole")
struct SchemaCoverageTests {
    @Test(
        "A glob covers a schema when it finds every name in it",
        arguments: [
            ("app.*", "app", true), ("app.*", "other", false), ("app.t*", "app", false), ("*", "public", true),
            ("*", "app", false), ("a*.*", "app", true), ("app.t", "app", false), ("*.*", "app", true),
            ("[ab]pp.*", "app", true),
            ("*.t", "app", false), ("*.?*", "app", false),
        ]
    )
    func globs(name: String, schema: String, isCovered: Bool) {
        let coverage = SchemaCoverage(name, excluding: [], defaultSchema: "public")
        #expect(coverage.contains(schema) == isCovered)
    }

    @Test("Exclusions of a schema take it out, and those of tables do not")
    func exclusions() {
        let coverage = SchemaCoverage("*.*", excluding: ["log.*", "app.secret", "t*"], defaultSchema: "public")
        #expect(!coverage.contains("log"))
        #expect(coverage.contains("app"))
    }

    @Test(
        "Only all schemas are the whole database",
        arguments: [("*.*", true), ("**.*", true), ("*", false), ("a*.*", false)]
    )
    func database(name: String, isWhole: Bool) {
        #expect(SchemaCoverage(name, excluding: [], defaultSchema: "public").isWholeDatabase == isWhole)
    }

    @Test("Many entries whose definitions go to the same places are one group, in which each table is once")
    func groups() throws {
        let names = (1...500).map { "t\($0)" }
        let relations = names.enumerated().map { Fixture.relation(UInt32($0 + 1), $1) }
        let view = Fixture.relation(900, "v", kind: .view)
        var entries = try (names + names + ["public.*", "v*"]).map { try Fixture.options($0) }
        entries.append(try Fixture.options("t1", location: "elsewhere/{table}"))
        for index in entries.indices { entries[index].includesDefinition = true }
        let groups = DefinitionPlanner(catalog: Fixture.catalog(relations + [view])).groups(entries)
        #expect(groups.map(\.relations.count) == [501, 1])
        #expect(groups[0].derived == [900])
        #expect(groups[0].covers("public"))
        #expect(!groups[1].covers("public"))
        #expect(groups[0].names.count == 1_002)
    }

    @Test("A view that an entry names is listed with the tables, one that only a glob finds is not")
    func named() throws {
        let relations = [
            Fixture.relation(1, "t"), Fixture.relation(2, "v", kind: .view), Fixture.relation(3, "w", kind: .view),
        ]
        var entries = try ["public.*", "public.v"].map { try Fixture.options($0) }
        for index in entries.indices { entries[index].includesDefinition = true }
        for entries in [entries, entries.reversed()] {
            let groups = DefinitionPlanner(catalog: Fixture.catalog(relations)).groups(entries)
            #expect(groups.map(\.derived) == [[3]])
        }
    }
}
