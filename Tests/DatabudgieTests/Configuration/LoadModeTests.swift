import Testing

@testable import Databudgie

@Suite("Rows and columns that are there")
struct LoadModeTests {
    private func modes(_ yaml: String) throws -> [LoadMode] { try configuration(yaml).restore.tables.map(\.mode) }

    @Test("The mode is append unless truncate or mode says otherwise, at any level")
    func modes() throws {
        #expect(try modes("tables: [a]") == [.append])
        #expect(
            try modes(
                """
                mode: upsert
                restore: {tables: [a, {name: b, mode: skip_existing}, {name: c, mode: append}, {name: d, mode: null}]}
                """
            ) == [.upsert, .skipExisting, .append, .append]
        )
        #expect(try modes("mode: append\nrestore: {mode: replace, tables: [a]}") == [.replace])
        #expect(try modes("tables: [{name: a, truncate: true}, {name: b, truncate: cascade}]") == [.replace, .replace])
    }

    @Test("The mode replace empties a table as truncate does, and cascade refines it")
    func replace() throws {
        let tables = try configuration(
            """
            tables:
              - {name: a, mode: replace}
              - {name: b, mode: replace, truncate: true}
              - {name: c, mode: replace, truncate: cascade}
              - {name: d, mode: upsert, truncate: false}
              - {name: e, mode: replace, truncate: null}
            """
        ).restore.tables
        #expect(tables.map(\.truncate) == [.truncate, .truncate, .cascade, .keep, .truncate])
        #expect(tables.map(\.mode) == [.replace, .replace, .replace, .upsert, .replace])
    }

    @Test("Of mode and truncate at different levels the nearer one counts where they contradict each other")
    func levels() throws {
        let outer = try configuration(
            """
            truncate: cascade
            restore:
              tables: [{name: a, mode: append}, {name: b, mode: upsert}, {name: c, mode: replace}, d]
            """
        ).restore.tables
        #expect(outer.map(\.mode) == [.append, .upsert, .replace, .replace])
        #expect(outer.map(\.truncate) == [.keep, .keep, .cascade, .cascade])
        let inner = try configuration(
            """
            mode: upsert
            restore: {tables: [{name: a, truncate: true}, {name: b, truncate: false}, {name: c, truncate: cascade}]}
            """
        ).restore.tables
        #expect(inner.map(\.mode) == [.replace, .upsert, .replace])
        #expect(inner.map(\.truncate) == [.truncate, .keep, .cascade])
        #expect(try modes("restore: {mode: replace, tables: [{name: a, truncate: false}]}") == [.append])
    }

    @Test(
        "Mode and truncate that contradict each other at one level are one problem that names both lines",
        arguments: [
            ("append", "true"), ("upsert", "true"), ("skip_existing", "cascade"), ("replace", "false"),
        ]
    )
    func contradiction(mode: String, truncate: String) {
        let line = "'mode: \(mode)' contradicts 'truncate: \(truncate)' (test.yaml:3); remove one of them"
        #expect(
            problems("restore:\n  mode: \(mode)\n  truncate: \(truncate)\n  tables: [a, b]") == ["test.yaml:2: \(line)"]
        )
        #expect(problems("restore:\n  mode: \(mode)\n  truncate: \(truncate)") == ["test.yaml:2: \(line)"])
        #expect(
            problems("tables:\n  a: {mode: \(mode),\n      truncate: \(truncate)}") == ["test.yaml:2: \(line)"]
        )
    }

    @Test("A word that is no mode is refused, with the nearest one")
    func unknownWords() {
        #expect(problems("mode: upsrt") == ["test.yaml:1: 'mode' cannot be 'upsrt'; did you mean 'upsert'?"])
        #expect(
            problems("restore: {extra_columns: keep}") == [
                "test.yaml:1: 'extra_columns' cannot be 'keep'; use one of error, ignore"
            ]
        )
    }

    @Test("The columns of the key are taken from the nearest level, each once")
    func keys() throws {
        let tables = try configuration(
            """
            conflict_columns: [id]
            restore:
              mode: upsert
              tables: [a, {name: b, conflict_columns: [store, number]}, {name: c, conflict_columns: []}]
            """
        ).restore.tables
        #expect(tables.map(\.conflictColumns) == [["id"], ["store", "number"], []])
        #expect(
            problems("restore: {mode: upsert, tables: [{name: a, conflict_columns: [x, y, x]}]}") == [
                "test.yaml:1: 'conflict_columns' names \"x\" twice; name each column once"
            ]
        )
        #expect(
            problems("mode: upsert\nconflict_columns: id") == [
                "test.yaml:2: 'conflict_columns' must be a list, not a string"
            ]
        )
    }

    @Test("A key of an entry whose mode has no use for it is refused; above the entries it may be meant for others")
    func uselessKey() throws {
        #expect(
            problems("tables:\n  a: {conflict_columns: [id]}") == [
                "test.yaml:2: 'conflict_columns' has no effect with 'mode: append'; set 'mode: upsert' or "
                    + "'mode: skip_existing', or remove it"
            ]
        )
        #expect(try modes("conflict_columns: [id]\ntables: [{name: a, mode: upsert}, b]") == [.upsert, .append])
        #expect(try modes("tables: [{name: a, conflict_columns: []}]") == [.append])
    }

    @Test("Columns that differ are an error, or not, at any level")
    func columns() throws {
        let tables = try configuration(
            """
            extra_columns: ignore
            restore:
              missing_columns: error
              tables: [a, {name: b, extra_columns: error, missing_columns: default}, {name: c, missing_columns: null}]
            """
        ).restore.tables
        #expect(tables.map(\.extraColumns) == [.ignore, .error, .ignore])
        #expect(tables.map(\.missingColumns) == [.error, .default, nil])
    }

    @Test("In code, truncate and mode may say the same")
    func inCode() {
        let options = TableOptions(name: "a")
        #expect(RestoreEntry(options: options).mode == .append)
        #expect(RestoreEntry(options: options, truncate: .truncate).mode == .replace)
        #expect(RestoreEntry(options: options, mode: .replace).truncate == .truncate)
        #expect(RestoreEntry(options: options, truncate: .cascade, mode: .replace).truncate == .cascade)
        #expect(RestoreEntry(options: options, truncate: .truncate, mode: .upsert).truncate == .keep)
    }
}
