import Testing

@testable import Databudgie

@Suite("root_location")
struct RootLocationTests {
    @Test(
        "A location is composed under the root as databudgie 2.9.3 does",
        arguments: [
            (nil, "/abs/x", "/abs/x"), ("r", "x", "r/x"), ("r/", "x/", "r/x/"), ("./r", "x", "./r/x"),
            ("/r", "/abs", "/r/abs"),
            ("r", "/a//b", "r/a//b"), ("s3://b/r", "x", "s3://b/r/x"), ("s3://b/r", "/abs", "s3://b/r/abs"),
            ("s3://b", "x", "s3://b/x"), ("s3://b/", "x", "s3://b/x"), ("s3://b/r", "s3://b/x", "s3://b/r/x"),
            ("root", "s3://b/k", "s3://b/root/k"), ("", "x", "x"), ("s3://b/a?b#c", "d?e", "s3://b/a?b#c/d?e"),
        ] as [(String?, String, String)]
    )
    func composition(root: String?, location: String, expected: String) throws {
        #expect(try RootLocation.compose(root, location) == expected)
    }

    @Test("Two buckets, or a bucket in a local folder, are refused with their place")
    func contradictions() {
        #expect(
            problems("root_location: s3://a/r\ntables:\n  - {name: t, location: s3://b/x}") == [
                "test.yaml:3: the location 's3://b/x' is in another bucket than root_location 's3://a/r'; remove one of the two"
            ]
        )
        #expect(
            problems("root_location: /r\nlocation: s3://b/x").first?.contains("cannot be in the local folder") == true
        )
    }

    @Test("Defaults and the ddl are under the root too")
    func defaults() throws {
        let configuration = try configuration("root_location: s3://b/{date}\nddl: {location: d}\ntables: [a]")
        #expect(configuration.backup.tables.map(\.options.location.description) == ["s3://b/{date}/backups/{table}"])
        #expect(configuration.restore.run.definitions.location.description == "s3://b/{date}/d")
        #expect(
            try Databudgie.Configuration.load(yaml: "", environment: [:]).backup.run.definitions.location.description
                == "backups/ddl"
        )
    }
}
