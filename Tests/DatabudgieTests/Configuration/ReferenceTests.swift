import Testing

@testable import Databudgie

@Suite("References")
struct ReferenceTests {
    func restoreLocation(_ reference: String, backup: String) throws -> String? {
        try configuration("backup: {\(backup)}\nrestore: {tables: [{name: r, location: '\(reference)'}]}")
            .restore.tables.first?.options.location.description
    }

    @Test(
        "All ways of writing a reference lead to the same place",
        arguments: [
            "{ref.backup.tables[public.*].location}", "{ref:backup.tables[public.*].location}",
            "${ref:backup.tables.\"public.*\".location}", "{ref.backup.tables.\"public.*\".location}",
            "{ref[backup][tables][public.*][location]}", "{ref.backup.tables[\"public.*\"].location}",
        ]
    )
    func forms(reference: String) throws {
        if reference.hasPrefix("{ref[") {
            // Not a reference: its path begins with a dot or a colon.
            #expect(throws: ConfigurationError.self) {
                try restoreLocation(reference, backup: "tables: {public.*: {location: l/{table}}}")
            }
            return
        }
        #expect(try restoreLocation(reference, backup: "tables: {public.*: {location: 'l/{table}'}}") == "l/{table}")
        #expect(
            try restoreLocation(reference, backup: "tables: [x, {name: 'public.*', location: 'l/{table}'}]")
                == "l/{table}"
        )
    }

    @Test("A reference may be part of a text, and lead to another one")
    func chain() throws {
        let configuration = try configuration(
            """
            x-bucket: <% ENV[B] %>
            environment: "{ref.x-bucket}/e"
            backup: {location: "s3://{ref.environment}/${ref:x-bucket}", tables: [a]}
            restore: {tables: {a: {location: "{ref.backup.tables[a].location}/{{x}}"}}}
            """,
            environment: ["B": "b"]
        )
        #expect(configuration.restore.tables.map(\.options.location.description) == ["s3://b/e/b/{{x}}"])
    }

    @Test("A key that the target lacks is looked for at the levels above")
    func fallback() throws {
        #expect(try restoreLocation("{ref.backup.tables[a].location}", backup: "location: l, tables: [a]") == "l")
    }

    @Test("A whole value may be a list or a mapping")
    func wholeValues() throws {
        let configuration = try configuration("backup: {tables: [a, b]}\nrestore: {tables: '{ref.backup.tables}'}")
        #expect(configuration.restore.tables.map(\.options.name) == ["a", "b"])
    }

    @Test("A glob with brackets can be entered")
    func brackets() throws {
        #expect(
            try restoreLocation("{ref.backup.tables[p.[ab]*].location}", backup: "tables: {'p.[ab]*': {location: l}}")
                == "l"
        )
    }

    @Test(
        "A reference that leads nowhere is an error with its place",
        arguments: [
            ("{ref.backup.tables[x].location}", "there is no 'x' in 'backup → tables'"),
            ("{ref.nope}", "there is no 'nope' at the root"),
            ("{ref.backup.tables[a].location}", "there is no 'location' in 'backup → tables → a'"),
            ("{ref.backup.tables[a}", "is not finished"), ("{ref.}", "is not finished"),
            ("a{ref.backup.tables}", "leads to a list, which cannot be part of a string"),
        ]
    )
    func missing(reference: String, message: String) {
        let found = problems("backup: {tables: [a]}\nrestore:\n  tables:\n    r: {location: '\(reference)'}")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("test.yaml:4: ") == true)
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test("A cycle is an error, however long it is")
    func cycles() {
        let found = problems("location: '{ref.query}'\nquery: '{ref.filename}'\nfilename: '{ref.location}'")
        #expect(found.count == 3)
        #expect(found.allSatisfy { $0.contains("leads back to itself") })
        #expect(problems("backup: {tables: '{ref.backup}'}").first?.contains("leads back to itself") == true)
    }

    /// Keys of which each has its value from two references to the next one.
    private func doubling(_ levels: Int, _ template: String, last: String) -> String {
        let lines = (1...levels).map { "x-\($0): " + template.replacing("REF", with: "{ref.x-\($0 + 1)}") }
        return (lines + ["x-\(levels + 1): " + last, "backup: {tables: [t]}", ""]).joined(separator: "\n")
    }

    @Test("A text that grows with each of its references is one error, with the key and the reference")
    func growingText() {
        let found = problems(doubling(99, "'REFREF'", last: "sixteen bytes of it") + "location: '{ref.x-1}'")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "test.yaml:84: 'x-84' is longer than 1 MiB when {ref.x-85} is replaced by its value; "
            ) == true,
            "\(found)"
        )
    }

    @Test("What references lead to is finished once, however many references there are to it")
    func finishedOnce() throws {
        let configuration = try configuration(
            doubling(99, "'REFREF'", last: "''") + "location: 'a{ref.x-1}b'\nquery: '{ref.x-1}c{ref.x-1}'"
        )
        #expect(configuration.backup.tables.map(\.options.location.description) == ["ab"])
        #expect(configuration.backup.tables.map { $0.query.render([:]) } == ["c"])
    }

    @Test("Lists that grow with each of their references are one error")
    func growingList() {
        let found = problems(doubling(90, "['REF', 'REF']", last: "a") + "exclude: '{ref.x-1}'")
        #expect(found.count == 1)
        #expect(found.first?.contains("the configuration is longer than 64 MiB when {ref.x-") == true, "\(found)")
    }

    @Test(
        "A problem at the end of many references is reported once",
        arguments: ["'<% ENV[MISSING] %>'", "'{ref.nope}'", "'{ref.x-1}'"]
    )
    func problemAtTheEnd(last: String) {
        for template in ["['REF', 'REF']", "'REFREF'"] {
            let found = problems(doubling(90, template, last: last) + "exclude: '{ref.x-1}'")
            #expect(found.count == 1, "\(found)")
            #expect(found.first?.hasPrefix("test.yaml:91: ") == true, "\(found)")
        }
    }

    @Test("A chain of references has an end")
    func longChain() {
        let found = problems(doubling(5000, "'REF'", last: "a") + "location: '{ref.x-1}'")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix("test.yaml:100: {ref.x-101} is the last of more than 100 references") == true,
            "\(found)"
        )
    }

    @Test("Doubled braces are not a reference")
    func literalBraces() throws {
        #expect(
            try configuration("query: select '{{ref.x}}'\ntables: [a]").backup.tables.map { $0.query.render([:]) }
                == ["select '{ref.x}'"]
        )
    }
}
