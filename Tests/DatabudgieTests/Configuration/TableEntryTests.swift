import Compression
import Testing

@testable import Databudgie

@Suite("Tables")
struct TableEntryTests {
    @Test("An entry without options has the documented defaults")
    func defaults() throws {
        let configuration = try configuration("tables: [public.a]")
        let entry = try #require(configuration.backup.tables.first)
        #expect(entry.options.name == "public.a")
        #expect(entry.options.location.description == "backups/{table}")
        #expect(!entry.options.hasExplicitLocation)
        #expect(entry.options.filename.description == "{timestamp}.{ext}")
        #expect(entry.query.description == "select * from {table}")
        #expect(!entry.hasExplicitQuery)
        #expect(entry.compression == nil)
        #expect(entry.options.exclude.isEmpty)
        #expect(entry.options.includesDefinition && entry.options.includesSequences && entry.options.includesRows)
        #expect(!entry.options.followsForeignKeys && !entry.options.isStrict && !entry.skipsIfExists)
        let restored = try #require(configuration.restore.tables.first)
        #expect(restored.strategy == nil)
        #expect(restored.truncate == .keep)
    }

    @Test(
        "Tables may be a mapping, a list of mappings or bare names",
        arguments: ["tables: {a: , b: {}}", "tables: [a, b]", "tables: [{name: a}, b]", "tables: {x: {name: a}, b: }"]
    )
    func forms(yaml: String) throws {
        #expect(try configuration(yaml).backup.tables.map(\.options.name) == ["a", "b"])
    }

    @Test("Any key is allowed at a more general level, and the nearest one counts")
    func fallback() throws {
        let configuration = try configuration(
            """
            compression: zstd
            strict: true
            truncate: true
            query: root
            backup:
              compression: gzip
              filename: b.{ext}
              tables: {a: {compression: null, query: own}, b: {strict: false}}
            restore: {tables: [a]}
            """
        )
        #expect(configuration.backup.tables.map(\.compression) == [nil, .gzip])
        #expect(configuration.backup.tables.map(\.options.isStrict) == [true, false])
        #expect(configuration.backup.tables.map(\.query.description) == ["own", "root"])
        #expect(configuration.backup.tables.map(\.options.filename.description) == ["b.{ext}", "b.{ext}"])
        #expect(configuration.restore.tables.map(\.truncate) == [.truncate])
        #expect(configuration.restore.tables.map(\.options.filename.description) == ["{timestamp}.{ext}"])
        #expect(configuration.restore.run.isStrict)
    }

    @Test("The same table may appear more than once, with other files")
    func repeated() throws {
        let configuration = try configuration("tables: [{name: a, location: x}, {name: a, location: y, query: q}]")
        #expect(configuration.backup.tables.map(\.options.name) == ["a", "a"])
    }

    @Test("Options of the other command are accepted in shared entries")
    func sharedEntries() throws {
        let configuration = try configuration(
            "restore: {tables: [{name: a, query: select 1, compression: gzip, skip_if_exists: true, truncate: cascade}]}"
        )
        #expect(configuration.restore.tables.map(\.truncate) == [.cascade])
    }

    @Test("An entry without name is exported when it has query and location, and never restored")
    func unnamed() throws {
        let configuration = try configuration("tables: [{query: select 1, location: one}, b]")
        #expect(configuration.backup.tables.map(\.options.name) == [nil, "b"])
        #expect(configuration.restore.tables.map(\.options.name) == ["b"])
    }

    @Test(
        "An entry without name that lacks query or location is refused",
        arguments: ["{query: select 1}", "{location: one}", "{}"]
    )
    func incompleteUnnamed(entry: String) {
        let line = "test.yaml:2: an entry without 'name' needs 'query' and 'location'; give it a name, or both of them"
        #expect(problems("tables:\n  - \(entry)") == [line])
    }

    @Test("An entry without name has no table to insert", arguments: ["query", "location", "filename"])
    func unnamedWithTable(key: String) {
        var values = ["query": "select 1", "location": "one", "filename": "f.csv"]
        values[key] = "x{table}"
        let entry = values.map { "\($0.key): '\($0.value)'" }.joined(separator: ", ")
        #expect(
            problems("tables: [{\(entry)}]") == [
                "test.yaml:1: an entry without 'name' has no table, so its '\(key)' cannot use {table}; give it a name"
            ]
        )
    }

    @Test(
        "Two entries whose files would have the same path are refused",
        arguments: [
            "[a, a]", "[{name: a}, {name: a, query: q}]", "[{name: a, location: x}, {name: b, location: x}]",
            "[{name: a, location: x, filename: y.csv.gz, compression: gzip}, {query: q, location: x, filename: 'y.{ext}', compression: gzip}]",
        ]
    )
    func equalPaths(tables: String) {
        let found = problems("backup:\n  tables: \(tables)")
        #expect(found.count == 1)
        #expect(found.first?.contains("this entry would write the same files as the one at test.yaml:2") == true)
    }

    @Test(
        "Entries with different files are accepted",
        arguments: [
            "[a, b]", "[{name: a, location: x}, {name: a, location: y}]",
            "[{name: a, compression: gzip}, {name: a, compression: zstd}]",
            "[{name: 'p.*', exclude: [p.a]}, {name: 'p.*', exclude: [p.b]}]", "[{name: a, data: false}, {name: a}]",
        ]
    )
    func differentPaths(tables: String) {
        #expect(problems("backup: {tables: \(tables)}").isEmpty)
    }

    @Test("Rules of a backup do not stop a restore")
    func ruleOfOtherCommand() throws {
        var fixture = ConfigurationFixture("tables: [{name: a, location: x}, {name: b, location: x}]")
        #expect(fixture.problems.count == 1)
        fixture.action = .restore
        #expect(try fixture.load().restore.tables.count == 2)
    }

    @Test("The key truncate is false, true or cascade")
    func truncate() throws {
        let configuration = try configuration(
            "tables: [{name: a, truncate: no}, {name: b, truncate: true}, {name: c, truncate: Cascade}, {name: d, truncate: null}]"
        )
        #expect(configuration.restore.tables.map(\.truncate) == [.keep, .truncate, .cascade, .keep])
    }

    @Test("The key triggers is auto, off or fire, at any level")
    func triggers() throws {
        let mixed = try configuration(
            """
            triggers: off
            restore: {tables: [{name: a, triggers: fire}, {name: b, triggers: auto}, c, {name: d, triggers: null}]}
            """
        )
        #expect(mixed.restore.tables.map(\.triggers) == [.fire, .automatic, .off, .automatic])
        #expect(try configuration("tables: [a]").restore.tables.map(\.triggers) == [.automatic])
        #expect(
            try configuration("restore: {triggers: fire, tables: [a]}").restore.tables.map(\.triggers) == [.fire]
        )
    }

    @Test("The keys indexes and foreign_keys are auto, keep or rebuild, at any level")
    func rebuilding() throws {
        let tables = try configuration(
            """
            indexes: keep
            restore: {foreign_keys: rebuild, tables: [{name: a, indexes: rebuild}, {name: b, foreign_keys: auto}, c]}
            """
        ).restore.tables
        #expect(tables.map(\.indexes) == [.rebuild, .keep, .keep])
        #expect(tables.map(\.foreignKeys) == [.rebuild, .automatic, .rebuild])
        let plain = try configuration("tables: [a]").restore.tables
        #expect(plain.map(\.indexes) == [.automatic] && plain.map(\.foreignKeys) == [.automatic])
    }

    @Test("The key transaction is group or all, of the whole restore")
    func transaction() throws {
        #expect(try configuration("tables: [a]").restore.transaction == .group)
        #expect(try configuration("transaction: all").restore.transaction == .all)
        #expect(try configuration("{transaction: all, restore: {transaction: group}}").restore.transaction == .group)
    }

    @Test("The key safe_hosts is a list of the whole restore; without it nothing is asked")
    func safeHosts() throws {
        #expect(try configuration("tables: [a]").restore.safeHosts == nil)
        #expect(try configuration("safe_hosts: null").restore.safeHosts == nil)
        #expect(try configuration("safe_hosts: []").restore.safeHosts == [])
        #expect(
            try configuration("{safe_hosts: [a], restore: {safe_hosts: [b, '*.c']}}").restore.safeHosts == ["b", "*.c"]
        )
    }

    @Test("The key rename has rules for schemas and tables, at any level, in their order")
    func rename() throws {
        let configuration = try configuration(
            """
            rename: {schema: {public: staging, 'a*': 'b*'}}
            tables: [x, {name: y, rename: {table: {public.orders: archive.orders_2026}}}, {name: z, rename: null}]
            """
        )
        let renamings = configuration.restore.tables.map(\.renaming)
        #expect(renamings[0].schemas == [Renaming.Rule("public", "staging"), Renaming.Rule("a*", "b*")])
        #expect(renamings[1] == Renaming(tables: [Renaming.Rule("public.orders", "archive.orders_2026")]))
        #expect(renamings[2].isEmpty)
    }

    @Test("The key max_rejects is a whole number, at any level")
    func maxRejects() throws {
        let mixed = try configuration(
            "{max_rejects: 5, tables: [a, {name: b, max_rejects: 0}, {name: c, max_rejects: 1_000}]}"
        )
        #expect(mixed.restore.tables.map(\.maxRejects) == [5, 0, 1_000])
        #expect(try configuration("tables: [a]").restore.tables.map(\.maxRejects) == [0])
    }

    @Test("Keys that begin with x- are ignored at every level")
    func notes() throws {
        let configuration = try configuration(
            """
            x-a: {anything: [1]}
            s3: {x-b: 1}
            backup: {x-c: , tables: {x-d: {nonsense: 1}, a: {x-e: {}}}}
            """
        )
        #expect(configuration.backup.tables.map(\.options.name) == ["a"])
    }

    @Test("A table's ddl follows the levels above, and a mapping without enabled is no word about it")
    func ddl() throws {
        let yaml = """
            ddl: {enabled: true}
            backup: {tables: [a, {name: b, ddl: false}]}
            restore: {ddl: {location: d}, tables: [a, {name: b, ddl: {location: x}}]}
            """
        let configuration = try configuration(yaml)
        #expect(configuration.backup.tables.map(\.options.includesDefinition) == [true, false])
        #expect(configuration.restore.tables.map(\.options.includesDefinition) == [true, true])
        #expect(configuration.backup.run.definitions.isEnabled)
        #expect(configuration.restore.run.definitions.isEnabled)
        #expect(configuration.restore.run.definitions.location.description == "d")
    }

    @Test(
        "One table's ddl is enough, whatever the level above says",
        arguments: [
            ("", "true"), ("", "{enabled: true}"), ("ddl: false", "true"), ("ddl: {enabled: false, location: d}", "on"),
            ("backup: {ddl: null}\nrestore: {ddl: {enabled: null}}", "{enabled: true}"),
        ]
    )
    func ddlOfOneTable(above: String, value: String) throws {
        let configuration = try configuration("\(above)\ntables: [a, {name: b, ddl: \(value)}, {name: c, ddl: {}}]")
        #expect(configuration.backup.tables.map(\.options.includesDefinition) == [false, true, false])
        #expect(configuration.restore.tables.map(\.options.includesDefinition) == [false, true, false])
        #expect(configuration.backup.run.definitions.isEnabled)
        #expect(configuration.restore.run.definitions.isEnabled)
    }

    @Test("Without a word, null and false at the nearest level, ddl is off")
    func ddlOff() throws {
        for yaml in ["", "ddl: true\nbackup: {ddl: null}", "ddl: {enabled: true}\nbackup: {ddl: {enabled: false}}"] {
            let configuration = try configuration(yaml + "\ntables: [a, {name: b, ddl: false}]")
            #expect(!configuration.backup.run.definitions.isEnabled)
            #expect(configuration.backup.tables.last?.options.includesDefinition == false)
        }
        #expect(
            try !configuration("tables: [{query: select 1, location: q, ddl: true}]").backup.run.definitions.isEnabled
        )
    }

    @Test(
        "What 2.9.3 read as no compression is none",
        arguments: [
            "null", "''", "none", "None", "false", "off", "Off", "no", "'null'",
        ]
    )
    func noCompression(value: String) throws {
        let configuration = try configuration("compression: gzip\ntables: [{name: a, compression: \(value)}, b]")
        #expect(configuration.backup.tables.map(\.compression) == [nil, .gzip])
    }

    @Test(
        "A level can follow the compression, and a level below replaces both",
        arguments: [
            ("gzip", .gzip, nil), ("gzip:1", .gzip, 1), ("gzip:3", .gzip, 3), ("zstd:level=9", .zstd, 9),
            ("'zstd:19'", .zstd, 19), ("zstd:01", .zstd, 1),
        ] as [(String, CompressionFormat, Int?)]
    )
    func level(text: String, format: CompressionFormat, level: Int?) throws {
        let read = try configuration("compression: \(text)\ntables: [a, {name: b, compression: zstd}]")
        #expect(read.backup.tables.map(\.compression) == [format, .zstd])
        #expect(read.backup.tables.map(\.compressionLevel) == [level, nil])
        #expect(read.restore.tables.map(\.compression) == [format, .zstd])
        let printed = ConfigurationPrinter().yaml(read)
        #expect(try configuration(printed).backup.tables.map(\.compressionLevel) == [level, nil])
    }

    @Test(
        "A level that the compression does not have, and what is not a level, is refused",
        arguments: [
            "gzip:0", "gzip:4", "gzip:9", "zstd:0", "zstd:20", "zstd:-1", "zstd:", "zstd:level=", "zstd:long",
            "zstd: 1",
            "zstd:1:1", "zstd:99999999999999999999", "none:1", ":1", "gzip:1\u{301}", "zstd:１",
        ]
    )
    func wrongLevel(text: String) {
        for key in ["backup", "restore"] {
            #expect(problems("\(key): {tables: [{name: a, compression: '\(text)'}]}").count == 1)
        }
    }
}
