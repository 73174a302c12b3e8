import Postgres
import Testing

@testable import Databudgie

@Suite("Tables that others refer to")
struct ReferencedTablesTests {
    /// What comes along with tables of these names, as `location of table` in order.
    private func followed(_ catalog: DatabaseCatalog, _ names: [String], following: Set<String>) throws -> [String] {
        let owners = try names.map { name in
            var options = try Fixture.options(name, location: "a/{table}")
            options.followsForeignKeys = following.contains(name)
            return DependencyTables.Owner(
                options: options,
                relation: try #require(catalog.named("public.\(name)").first)
            )
        }
        return try DependencyTables(catalog: catalog).included(by: owners).map { $0.options.location.description }
    }

    private let chain = Fixture.catalog(
        [Fixture.relation(1, "top"), Fixture.relation(2, "mid"), Fixture.relation(3, "leaf")],
        keys: [Fixture.key(1, 2), Fixture.key(1, 3), Fixture.key(2, 3)]
    )

    @Test("Tables are included over any number of references, each below the table that was named")
    func recursion() throws {
        #expect(try followed(chain, ["top"], following: ["top"]) == ["a/public.top/{table}", "a/public.top/{table}"])
        #expect(try followed(chain, ["top"], following: []) == [])
    }

    @Test("Tables are not included when they are named, and only with the first of several")
    func once() throws {
        #expect(try followed(chain, ["top", "mid", "leaf"], following: ["top", "mid"]) == [])
        #expect(try followed(chain, ["top", "mid"], following: ["top", "mid"]) == ["a/public.mid/{table}"])
        #expect(try followed(chain, ["top", "mid"], following: ["top"]) == ["a/public.top/{table}"])
    }

    @Test("Tables are found where references go in circles or to the table itself")
    func cycles() throws {
        let catalog = Fixture.catalog(
            [Fixture.relation(1, "a"), Fixture.relation(2, "b"), Fixture.relation(3, "c")],
            keys: [Fixture.key(1, 1), Fixture.key(1, 2), Fixture.key(2, 3), Fixture.key(3, 2), Fixture.key(3, 1)]
        )
        let found = DependencyTables(catalog: catalog)
        var options = try Fixture.options("a")
        options.followsForeignKeys = true
        let relation = try #require(catalog[1])
        #expect(
            try found.included(by: [.init(options: options, relation: relation)]).map(\.relation.name.name) == [
                "b", "c",
            ]
        )
    }

    @Test("Literal braces and a final slash of the location above are kept")
    func location() throws {
        var options = try Fixture.options("top", location: "{{x}}/{table}/{date}/")
        options.followsForeignKeys = true
        let owner = DependencyTables.Owner(options: options, relation: try #require(chain[2]))
        let followed = try DependencyTables(catalog: chain).included(by: [owner])
        #expect(followed.map(\.options.location.description) == ["{{x}}/public.mid/{date}/{table}"])
    }

    @Test("Tables that a partition refers to are those of its root too, and a partition stands for its root")
    func partitions() throws {
        let catalog = Fixture.catalog(
            [
                Fixture.relation(1, "event", kind: .partitionedTable, children: [2]),
                Fixture.relation(2, "event_a", isPartition: true, parents: [1]),
                Fixture.relation(3, "kind", kind: .partitionedTable, children: [4]),
                Fixture.relation(4, "kind_a", isPartition: true, parents: [3]),
                Fixture.relation(5, "place"),
            ],
            keys: [
                Fixture.key(1, 3),
                ForeignKey(name: "fk", referencing: 1, referenced: 4, isDeferrable: false, isInherited: true),
                Fixture.key(2, 5),
            ]
        )
        var options = try Fixture.options("event")
        options.followsForeignKeys = true
        let owner = DependencyTables.Owner(options: options, relation: try #require(catalog[1]))
        let followed = try DependencyTables(catalog: catalog).included(by: [owner])
        #expect(followed.map(\.relation.name.name) == ["kind", "place"])
    }
}
