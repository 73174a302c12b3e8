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

    @Test("Doubled braces are not a reference")
    func literalBraces() throws {
        #expect(
            try configuration("query: select '{{ref.x}}'\ntables: [a]").backup.tables.map { $0.query.render([:]) }
                == ["select '{ref.x}'"]
        )
    }
}
