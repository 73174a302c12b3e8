import Testing

@testable import Databudgie

@Suite("What locations may begin with")
struct LocationFormTests {
    @Test(
        "A location with another scheme than s3:// is refused with its place, for backups and for restores",
        arguments: ["gs://b/x", "http://h/x", "file:///x", "s3//b/x", "s3:/b/x", "s3:b/x", "S3//b/x", "a+b.c-1://x"]
    )
    func schemes(location: String) throws {
        for kind in [RunKind.backup, .restore] {
            var sources = ConfigurationSources(environment: [:])
            sources.overrides.rawConfig = "tables: [a]\nlocation: '\(location)'"
            sources.overrides.rawConfigFormat = .yaml
            let error = #expect(throws: ConfigurationError.self) { try Configuration.load(sources, for: kind) }
            let lines = error?.problems.map(\.description) ?? []
            #expect(lines.contains { $0.contains("the location '\(location)' begins with '") }, "\(lines)")
            #expect(lines.contains { $0.contains("give a local path or s3://bucket/key") })
        }
        #expect(problems("ddl: {location: '\(location)'}").first?.contains("'\(location)' begins with") == true)
        #expect(problems("root_location: '\(location)'\ntables: [a]").first?.contains("\(location)") == true)
    }

    @Test(
        "Local paths and s3:// stay as they are",
        arguments: [
            "s3://bucket/x", "S3://bucket/x", "s3/x", "s3", "./s3//x", "a:b", "C:/x", "/gs://x", "x/y", "s3x//y",
        ]
    )
    func paths(location: String) throws {
        #expect(try LocationForm.checked(location, home: nil) == location)
    }

    @Test(
        "A location that begins with ~/ is in the home folder",
        arguments: [
            ("~/backups/{table}", "/home/me/backups/{table}"), ("~", "/home/me"), ("~/", "/home/me/"),
            ("~x/y", "~x/y"), ("a/~/b", "a/~/b"), ("./~/b", "./~/b"), ("s3://bucket/~/x", "s3://bucket/~/x"),
        ]
    )
    func home(location: String, expected: String) throws {
        #expect(try LocationForm.checked(location, home: "/home/me") == expected)
    }

    @Test("The home folder comes from HOME, below root_location as well, and its braces are not a template's")
    func homeVariable() throws {
        func location(_ yaml: String, _ home: String) throws -> String {
            let configuration = try Configuration.load(yaml: yaml, environment: ["HOME": home])
            return configuration.backup.tables.map { $0.options.location.render([.table: "t"]) }.joined()
        }
        #expect(try location("{root_location: '~/r', location: x, tables: [a]}", "/home/me") == "/home/me/r/x")
        #expect(try location("{location: '~/{table}', tables: [a]}", "/home/{me}") == "/home/{me}/t")
        for home in ["", "relative"] {
            let error = #expect(throws: ConfigurationError.self) {
                try location("{location: '~/x', tables: [a]}", home)
            }
            #expect(error?.problems.first?.description.contains("HOME does not name one") == true)
        }
    }

    @Test("Several tables in one folder are told to write {table} into the location")
    func oneFolder() throws {
        var sources = ConfigurationSources(environment: [:])
        sources.overrides.location = "DIR"
        sources.overrides.tables = ["a", "b"]
        sources.overrides.rawConfig = "{}"
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(sources, for: .backup) }
        #expect(
            error?.problems.first?.hint == "give each table a folder of its own: write the location as 'DIR/{table}'"
        )
    }
}
