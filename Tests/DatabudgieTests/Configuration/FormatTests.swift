import Compression
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Formats")
struct FormatTests {
    static let texts: [(ConfigurationFormat, String)] = [
        (
            .yaml,
            """
            url: postgresql://h/db
            backup:
              tables:
                - name: public.b
                  query: select 'é😀/'
                  strict: true
                - public.a
            """
        ),
        (
            .json,
            #"""
            {"url": "postgresql://h/db",
            "backup": {
            	"tables": [
            		{"name": "public.b",
            		 "query": "select '\u00e9\uD83D\uDE00\/'",
            		 "strict": true},
            		"public.a"]}}
            """#
        ),
        (
            .toml,
            #"""
            url = "postgresql://h/db"

            [[backup.tables]]
            name = "public.b"
            query = "select '\u00e9\U0001F600/'"
            strict = true
            [[backup.tables]]
            name = 'public.a'
            """#
        ),
    ]

    @Test("A byte order mark at the start is not part of the configuration, in any format", arguments: texts)
    func byteOrderMark(format: ConfigurationFormat, text: String) throws {
        let configuration = try ConfigurationFixture("\u{FEFF}" + text, format: format).load()
        #expect(configuration.backup.run.connection?.keywords["host"] == "h")
        #expect(configuration.backup.tables.map(\.options.name) == ["public.b", "public.a"])
        #expect(configuration.backup.tables.map(\.options.place).first?.hasPrefix("test.\(format.rawValue):") == true)
    }

    @Test(
        "A line break at the end of a value, as blocks of YAML have one, is not part of it, but of a table's name it is"
    )
    func lastLineBreak() throws {
        let configuration = try configuration(
            """
            url: >
              postgresql://h/db
            compression: |
              gzip
            strict: |
              yes
            s3:
              region: |
                eu-central-1
            root_location: |
              /r
            location: |
              {table}
            tables:
              - name: "a\\n"
                exclude: ["b\\n"]
              - "c\\n"
              - query: |
                  select 1
                location: |
                  l
            """
        )
        let run = configuration.backup.run
        #expect(run.connection?.keywords == ["host": "h", "dbname": "db"])
        #expect(run.s3.region == "eu-central-1")
        #expect(run.isStrict)
        let entries = configuration.backup.tables
        #expect(entries.map(\.compression) == [.gzip, .gzip, .gzip])
        #expect(entries.map(\.options.location.description) == ["/r/{table}", "/r/{table}", "/r/l"])
        #expect(entries.map(\.options.name) == ["a\n", "c\n", nil])
        #expect(entries.first?.options.exclude == ["b\n"])
    }

    @Test("The same configuration means the same in every format", arguments: texts)
    func equalMeaning(format: ConfigurationFormat, text: String) throws {
        let configuration = try ConfigurationFixture(text, format: format).load()
        #expect(configuration.backup.run.connection?.keywords["host"] == "h")
        #expect(configuration.backup.tables.map(\.options.name) == ["public.b", "public.a"])
        #expect(configuration.backup.tables.map(\.query.description) == ["select 'é😀/'", "select * from {table}"])
        #expect(configuration.backup.tables.map(\.options.isStrict) == [true, false])
    }

    @Test(
        "An entry knows its line",
        arguments: [(ConfigurationFormat.yaml, [4, 7]), (.json, [4, 7]), (.toml, [3, 7])]
    )
    func places(format: ConfigurationFormat, lines: [Int]) throws {
        let text = try #require(Self.texts.first { $0.0 == format }?.1)
        let configuration = try ConfigurationFixture(text, format: format).load()
        #expect(configuration.backup.tables.map(\.options.place) == lines.map { "test.\(format.rawValue):\($0)" })
    }

    @Test(
        "A mapping of tables keeps its order in every format",
        arguments: [
            (ConfigurationFormat.yaml, "tables: {z: {}, a: , 'm.m': {}}"),
            (.json, #"{"tables": {"z": {}, "a": null, "m.m": {}}}"#),
            (.toml, "[tables.z]\n[tables.a]\n[tables.\"m.m\"]"), (.toml, "tables = { z = {}, a = {}, 'm.m' = {} }"),
        ]
    )
    func order(format: ConfigurationFormat, text: String) throws {
        let configuration = try ConfigurationFixture(text, format: format).load()
        #expect(configuration.backup.tables.map(\.options.name) == ["z", "a", "m.m"])
    }

    @Test(
        "An unknown key is reported with its line in every format",
        arguments: [
            (ConfigurationFormat.yaml, "backup:\n  tables:\n    a:\n      qery: x", 4),
            (.json, "{\n\"backup\": {\"tables\":\n{\"a\":\n{\"qery\": 1}}}}", 4),
            (.toml, "[backup.tables.a]\n\n# note\nqery = 1", 4),
            (.toml, "[backup]\ntables = [\n  # one\n  { name = 'a', qery = '''\n'''},\n]", 4),
            (.toml, "[backup]\nquery = \"\"\"\n[x]\ny\\\"\"\"\"\"\ntables = [{ qery = 2 }]", 5),
        ]
    )
    func unknownKey(format: ConfigurationFormat, text: String, line: Int) {
        let expected = "test.\(format.rawValue):\(line): unknown key 'qery' in a table entry; did you mean 'query'?"
        #expect(ConfigurationFixture(text, format: format).problems.contains(expected))
    }

    @Test(
        "A malformed text is reported with its line, and in one line",
        arguments: [
            (ConfigurationFormat.yaml, "a: b\nb: [1, 2\nc: d", 3), (.yaml, "a: 'x\n", 2), (.yaml, "url: a: b", 1),
            (.yaml, "url: *nothing", 1), (.yaml, "url: x\n---\nurl: y", 2), (.yaml, "url: x\u{7}", 1),
            (.yaml, "\turl: x", 1), (.json, "{\n\"url\": 1,\n}", 3), (.json, "{'url': 1}", 1),
            (.json, "{\"url\": yes}", 1),
            (.json, "{\"url\": \"\n\"}", 1), (.json, "{}\n{}", 2), (.json, "{\"url\": \"\\uD83D\"}", 1),
            (.json, "{\"url\": \"\\x\"}", 1), (.json, "{\"port\": 01}", 1), (.json, "{\"url\"", 1), (.json, "[1, 2", 1),
            (.toml, "url = ", 1), (.toml, "url = 'a'\n[x\n", 2), (.toml, "\n\nurl = \"\\q\"", 3),
        ]
    )
    func syntaxErrors(format: ConfigurationFormat, text: String, line: Int) throws {
        let problems = ConfigurationFixture(text, format: format).problems
        #expect(problems.count == 1)
        let problem = try #require(problems.first)
        #expect(problem.hasPrefix("test.\(format.rawValue):\(line): "), "\(problem)")
        #expect(!problem.contains { $0.isNewline })
    }

    @Test(
        "A key that is in a mapping twice is refused",
        arguments: [
            (ConfigurationFormat.yaml, "url: a\nurl: b"), (.yaml, "url: a\n\"url\": b"),
            (.json, "{\"url\": 1,\n\"url\": 2}"), (.toml, "url = 'a'\nurl = 'b'"),
        ]
    )
    func duplicateKeys(format: ConfigurationFormat, text: String) {
        let fixture = ConfigurationFixture(text, format: format)
        #expect(throws: ConfigurationError.self) { try fixture.load() }
        #expect(fixture.problems.first?.contains("url") == true)
    }

    @Test("Anchors, aliases and merge keys work, and a mapping's own keys win over merged ones")
    func mergeKeys() throws {
        let configuration = try configuration(
            """
            x-common: &common {compression: gzip, filename: "a.{ext}"}
            x-other: &other {filename: "b.{ext}", strict: true}
            tables:
              one: {<<: *common, compression: zstd, location: one}
              two: {location: two, <<: [*common, *other]}
            """
        )
        #expect(configuration.backup.tables.map(\.compression) == [.zstd, .gzip])
        #expect(configuration.backup.tables.map(\.options.filename.description) == ["a.{ext}", "a.{ext}"])
        #expect(configuration.backup.tables.map(\.options.isStrict) == [false, true])
    }

    @Test("Aliases cannot ask for unbounded memory")
    func aliasBomb() {
        var yaml = "x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n"
        for level in 1...12 {
            let alias = "*x\(level - 1)"
            yaml += "x\(level): &x\(level) [\(Array(repeating: alias, count: 10).joined(separator: ","))]\n"
        }
        #expect(problems(yaml).first?.hasSuffix("the aliases expand to more than a million values") == true)
    }

    @Test("A configuration must be a mapping", arguments: ["[]", "- a", "text", "1"])
    func topIsMapping(text: String) {
        #expect(problems(text).first?.contains("the configuration must be a mapping of keys, not a") == true)
    }

    @Test("A text without content is an empty configuration", arguments: ["# nothing", "{}", "---\n", "null"])
    func emptyText(text: String) throws {
        #expect(try configuration(text).backup.tables.isEmpty)
    }

    @Test("The words yes and no are booleans where one is expected")
    func truthWords() throws {
        let configuration = try configuration("tables: [a]\nstrict: yes\nsequences: off\ndata: \"no\"\nddl: 0")
        let options = try #require(configuration.backup.tables.first?.options)
        #expect(options.isStrict)
        #expect(!options.includesSequences)
        #expect(!options.includesRows)
        #expect(!options.includesDefinition)
    }

    @Test("A number is read as its text where a string is expected")
    func numbersAsText() throws {
        let configuration = try configuration("connection: {host: h, password: 0123, port: 5432}")
        #expect(configuration.backup.run.connection?.keywords["password"] == "0123")
        #expect(configuration.backup.run.connection?.keywords["port"] == "5432")
    }
}
