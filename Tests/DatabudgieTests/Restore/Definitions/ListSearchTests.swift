import Postgres
import Testing

@testable import Databudgie

@Suite("Search in older lists of tables")
struct ListSearchTests {
    private func script(_ selection: [String]) -> DefinitionScript {
        DefinitionScript(timestamp: "t", selection: selection, definitions: [])
    }

    private func unit(_ name: String) -> DefinitionScript.Unit {
        DefinitionScript.Unit(schema: "app", table: name)
    }

    private let list = [QualifiedName(schema: "app", name: "a")]

    @Test("After a backup of one table the older lists count for a glob, and not for what this one covers")
    func partial() {
        var search = ListSearch([RestoreEntry(options: TableOptions(name: "app.*"))], defaultSchema: "public")
        #expect(search.isWanted(unit("a"), for: 0))
        search.add(list, found: [0], [script(["app.a"])])
        #expect(!search.isComplete)
        #expect(!search.isWanted(unit("a"), for: 0))
        #expect(search.isWanted(unit("b"), for: 0))
        search.add(list, found: [0], [])
        #expect(!search.isComplete)
        search.add([QualifiedName(schema: "app", name: "b")], found: [0], [script(["app.*"])])
        #expect(search.isComplete)
        #expect(!search.isWanted(unit("dropped"), for: 0))
    }

    @Test("A wider glob covers a narrower one", arguments: ["app.*", "*.*", "a*.*b*"])
    func wider(selection: String) {
        var search = ListSearch([RestoreEntry(options: TableOptions(name: "app.b*"))], defaultSchema: "public")
        search.add([], found: [0], [script([selection])])
        #expect(search.isComplete)
    }

    @Test(
        "Other globs do not, but what they would have found is not wanted",
        arguments: ["app.b?", "app.bb*", "app.[b]*"]
    )
    func narrower(selection: String) {
        var search = ListSearch([RestoreEntry(options: TableOptions(name: "app.b*"))], defaultSchema: "public")
        search.add([], found: [0], [script([selection])])
        #expect(!search.isComplete)
        #expect(search.isWanted(unit("bcd"), for: 0) == (selection != "app.[b]*"))
        #expect(!search.isWanted(unit("bb"), for: 0))
    }

    @Test("A file that does not say what its backup was asked for answers a glob, as in the Python tool")
    func unmarked() {
        var search = ListSearch(
            [RestoreEntry(options: TableOptions(name: "app.*")), RestoreEntry(options: TableOptions(name: "app.b"))],
            defaultSchema: "public"
        )
        search.add(list, found: [0], [script([])])
        #expect(!search.isWanted(unit("b"), for: 0))
        #expect(search.isWanted(unit("b"), for: 1))
        #expect(!search.isComplete)
        search.add(list, found: [1], [])
        #expect(search.isComplete)
    }

    @Test("Only entries with definitions are looked for")
    func withoutDefinition() {
        let entry = RestoreEntry(options: TableOptions(name: "a", includesDefinition: false))
        #expect(ListSearch([entry], defaultSchema: "app").isComplete)
    }
}
