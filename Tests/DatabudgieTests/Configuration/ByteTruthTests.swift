import Postgres
import Testing

@testable import Databudgie

/// What Swift takes for equal, or for one character, is neither for Postgres nor for a storage.
///
/// Swift compares and cuts texts by characters: a combining mark makes a separator another character, and the two normal
/// forms of `é` are one text.
@Suite("Names and separators are bytes")
struct ByteTruthTests {
    static let composed = "caf\u{E9}"
    static let decomposed = "cafe\u{301}"
    /// A combining mark, a joiner and a variation selector.
    static let marks = ["\u{301}", "\u{200D}", "\u{FE0F}"]

    private func bytes(_ names: [String?]) -> [[UInt8]] { names.map { Array(($0 ?? "").utf8) } }

    @Test(
        "Both normal forms of a name are two tables in every format",
        arguments: [
            (ConfigurationFormat.yaml, "tables:\n  \(composed): {query: q1}\n  \(decomposed): {query: q2}"),
            (.yaml, "tables:\n- {name: \(composed), query: q1}\n- {name: \(decomposed), query: q2}"),
            (.json, #"{"tables": {"\#(composed)": {"query": "q1"}, "\#(decomposed)": {"query": "q2"}}}"#),
            (.toml, "[tables.\"\(composed)\"]\nquery = 'q1'\n[tables.\"\(decomposed)\"]\nquery = 'q2'"),
        ]
    )
    func normalForms(format: ConfigurationFormat, text: String) throws {
        let tables = try ConfigurationFixture(text, format: format).load().backup.tables
        #expect(bytes(tables.map(\.options.name)) == bytes([Self.composed, Self.decomposed]))
        #expect(tables.map(\.query.description) == ["q1", "q2"])
    }

    @Test("A name that is in a YAML mapping twice is refused, whatever other names are beside it")
    func duplicates() {
        let names = [Self.composed, Self.decomposed, "\"\(Self.composed)\""]
        let yaml = "tables:\n" + names.map { "  \($0): {}\n" }.joined()
        #expect(
            problems(yaml) == [
                "test.yaml:2: the key '\(Self.composed)' is in the same mapping twice; remove one of them"
            ]
        )
        let same = "tables:\n" + [Self.composed, Self.composed].map { "  \($0): {}\n" }.joined()
        #expect(
            problems(same) == [
                "test.yaml:2: the key '\(Self.composed)' is in the same mapping twice; remove one of them"
            ]
        )
    }

    @Test("A text that YAML reads twice keeps its lines, values and signs of every plane")
    func secondReading() throws {
        let value = "\(Self.decomposed) 😀 \u{A0}ß"
        let configuration = try configuration(
            "x: &x \(value)\ntables:\n  \(Self.composed): {query: *x}\n  \(Self.decomposed): {}\n".replacing(
                "x:",
                with: "x-x:"
            )
        )
        #expect(bytes(configuration.backup.tables.map(\.query.description)).first == Array(value.utf8))
        #expect(configuration.backup.tables.map(\.options.place) == ["test.yaml:3", "test.yaml:4"])
    }

    @Test("Layers, locations and files of two normal forms are kept apart")
    func layers() throws {
        var fixture = ConfigurationFixture("tables: {\(Self.decomposed): {location: l}}")
        fixture.environment = ["DATABUDGIE_TABLES__\(Self.composed.uppercased())__QUERY": "q"]
        let tables = try fixture.load().backup.tables
        #expect(bytes(tables.map(\.options.name)) == bytes([Self.decomposed, Self.composed]))
        #expect(tables.map(\.query.description) == ["select * from {table}", "q"])
    }

    @Test("Two connections may have the normal forms of one name")
    func connections() throws {
        let list = """
            connections:
            - {name: \(Self.composed), host: one}
            - {name: \(Self.decomposed), host: two}
            connection: \(Self.decomposed)
            """
        #expect(try configuration(list).backup.run.connection?.keywords["host"] == "two")
        let missing = problems("connections: {\(Self.composed): postgresql://h/d}\nconnection: \(Self.decomposed)")
        #expect(missing.first?.contains("there is no connection") == true)
    }

    @Test("A reference leads to the name with its own bytes")
    func references() throws {
        let tables = "backup: {tables: {\(Self.composed): {location: one}, \(Self.decomposed): {location: two}}}"
        for (name, location) in [(Self.composed, "one"), (Self.decomposed, "two")] {
            let restore = "\nrestore: {tables: {r: {location: '{ref.backup.tables[\(name)].location}'}}}"
            let found = try configuration(tables + restore).restore.tables.first?.options.location.description
            #expect(found == location)
        }
        // Not a cycle: the two are different keys.
        let chain =
            "x-\(Self.composed): '{ref.x-\(Self.decomposed)}'\nx-\(Self.decomposed): v\nenvironment: '{ref.x-\(Self.composed)}'"
        #expect(try configuration(chain).environment == "v")
    }

    @Test("A mark after any separator of a reference does not hide it", arguments: marks)
    func marksInReferences(mark: String) throws {
        let yaml = """
            "x-a":
              "\(mark)b": {"\(mark)c": v}
            environment: "{ref.x-a.\(mark)b[\(mark)c]}\(mark)"
            """
        #expect(try bytes([configuration(yaml).environment]) == bytes(["v" + mark]))
    }

    @Test("A mark after any separator of an interpolation does not hide it", arguments: marks)
    func marksInInterpolations(mark: String) throws {
        let yaml = "environment: 'a<% ENV[V] %>\(mark)<% ENV[NO,\(mark)b] %>'"
        let found = try configuration(yaml, environment: ["V": "v"]).environment
        #expect(bytes([found]) == bytes(["av" + mark + mark + "b"]))
    }

    @Test("A mark after a brace or a variable of a template does not hide it", arguments: marks)
    func marksInTemplates(mark: String) throws {
        let template = try Template("{{\(mark){table}\(mark)/{date}\(mark)}}\(mark)")
        #expect(template.variables == [.table, .date])
        let text = template.render([.table: "t", .date: "2021-04-26"])
        #expect(bytes([text]) == bytes(["{\(mark)t\(mark)/2021-04-26\(mark)}\(mark)"]))
        #expect(template.match(text)?.values[.date] == "2021-04-26")
        #expect(throws: ConfigurationError.self) { try Template("{table\(mark)}") }
        #expect(bytes([Template(parts: [.literal("{\(mark)}")]).description]) == bytes(["{{\(mark)}}"]))
    }

    @Test("Templates of two normal forms are not equal, and do not match each other's names")
    func templates() throws {
        let (first, second) = (try Template(Self.composed + "/{table}"), try Template(Self.decomposed + "/{table}"))
        #expect(first != second)
        #expect(Set([first, second]).count == 2)
        #expect(first.match(Self.decomposed + "/a") == nil)
        #expect(first.match(Self.composed + "/a") != nil)
    }

    @Test("Entries of two normal forms write different files")
    func paths() throws {
        let entries = [Self.composed, Self.decomposed, Self.composed].map { "{location: \($0), query: q}" }
        #expect(try configuration("tables: [\(entries[0]), \(entries[1])]").backup.tables.count == 2)
        #expect(problems("backup: {tables: [\(entries.joined(separator: ", "))]}").count == 1)
    }

    @Test("A mark after a slash does not move a location out of its root", arguments: marks)
    func locations(mark: String) throws {
        for (root, location, expected) in [
            ("/\(mark)r", "x", "/\(mark)r/x"), ("r/", "/\(mark)x", "r/\(mark)x"),
            ("s3://\(mark)b/\(mark)r", "s3://\(mark)b/\(mark)x", "s3://\(mark)b/\(mark)r/\(mark)x"),
            ("s3://b", "/\(mark)x", "s3://b/\(mark)x"),
        ] {
            #expect(try bytes([RootLocation.compose(root, location)]) == bytes([expected]))
        }
        #expect(throws: ConfigurationError.self) { try RootLocation.compose("/\(mark)r", "s3://b/x") }
        #expect(throws: ConfigurationError.self) {
            try RootLocation.compose("s3://\(Self.composed)", "s3://\(Self.decomposed)/x")
        }
    }

    @Test(
        "A mark after the slash or the dot of a file's name changes neither its folder nor its format",
        arguments: marks
    )
    func files(mark: String) throws {
        let sources = ConfigurationSources(workingDirectory: "/folder")
        #expect(sources.path("/\(mark)x.yml") == "/\(mark)x.yml")
        try withFolder(["a.\(mark).yml": "environment: read"]) { folder throws in
            var sources = ConfigurationSources(workingDirectory: folder)
            sources.overrides.configFiles = ["a.\(mark).yml"]
            #expect(try Configuration.load(sources).environment == "read")
        }
    }

    @Test("A mark after x- or two underscores does not hide them", arguments: marks)
    func prefixes(mark: String) throws {
        #expect(problems("'x-\(mark)note': 1").isEmpty)
        #expect(problems("backup: {tables: {'x-\(mark)note': {nonsense: 1}}}").isEmpty)
        let tables = try configuration("", environment: ["DATABUDGIE_TABLES__\(mark)A__QUERY": "q"]).backup.tables
        #expect(bytes(tables.map(\.options.name)) == bytes([mark + "a"]))
    }

    @Test("A variable is found by the bytes of its name")
    func variables() {
        let yaml = "environment: <% ENV[\(Self.decomposed)] %>"
        #expect(problems(yaml, environment: [Self.composed: "v"]).first?.contains("is not set") == true)
        #expect(problems(yaml, environment: [Self.decomposed: "v"]).isEmpty)
    }

    @Test("A mark after :// or @ does not show a password", arguments: marks)
    func printedSecrets(mark: String) throws {
        for url in ["http://\(mark)u:hunter2@h", "http://u:hunter2@\(mark)h"] {
            let text = ConfigurationPrinter().yaml(try configuration("s3: {endpoint_url: \"\(url)\"}"))
            #expect(!text.contains("hunter2"))
        }
        let database = "{host: h, database: \"postgresql://\(mark)u:hunter2@h/d\"}"
        #expect(!ConfigurationPrinter().yaml(try configuration("url: \(database)")).contains("hunter2"))
    }
}
