import Storage
import Testing

@testable import Databudgie

@Suite("Paths of a configuration")
struct OwnPathsTests {
    private static let moment = "2026-01-02T03:04:05"

    private func moments(_ yaml: String, _ paths: [String]) throws -> [String?] {
        let own = try OwnPaths(try configuration(yaml).backup)
        return try paths.map { own.moment(of: try StoragePath($0)) }
    }

    @Test(
        "What backups give to their files is recognised, with its time",
        arguments: [
            ("backups/public.a/2026-01-02T03:04:05.csv", "tables: [public.*]"),
            ("backups/public.a/2026-01-02T03:04:05.csv.gz", "tables: [public.*]"),
            ("backups/public.a/2026-01-02T03:04:05.csv.zst", "tables: ['*']"),
            ("backups/public.a/2026-01-02T03:04:05.csv", "tables: [a]"),
            ("backups/public.a%2Fb/2026-01-02T03:04:05.csv", "tables: [public.a*]"),
            ("backups/public.%41/2026-01-02T03:04:05.csv", "tables: [public.A]"),
            ("backups/public.x%-0123/2026-01-02T03:04:05.csv", "tables: [public.xyz]"),
            ("backups/public.a/sequences/2026-01-02T03:04:05.json", "tables: [public.*]"),
            ("backups/public.a/ddl/2026-01-02T03:04:05.sql", "tables: [public.*]"),
            ("backups/public/ddl/2026-01-02T03:04:05.sql", "tables: [public.*]"),
            ("backups/ddl/2026-01-02T03:04:05.json", "tables: [public.*]"),
            ("backups/ddl/views/2026-01-02T03:04:05.json", "tables: [public.*]"),
            ("backups/ddl/database/2026-01-02T03:04:05.sql", "tables: [public.*]"),
            (
                "/r/x/public.a/2026-01-02T03:04:05.csv",
                "{root_location: /r/, location: 'x/{table}/', tables: [public.*]}"
            ),
            ("public.a/2026-01-02T03:04:05.csv", "{location: '{table}', tables: [public.*]}"),
            ("2026-01-02T03:04:05.csv", "{location: '.', tables: [public.a]}"),
            (
                "s3://bucket/k/public.a/2026-01-02T03:04:05.csv",
                "{location: 's3://bucket/k/{table}', tables: [public.*]}"
            ),
            (
                "s3://bucket/2026-01-02T03:04:05-public.a.csv",
                "{location: 's3://bucket', filename: '{timestamp}-{table}.{ext}', tables: [public.*]}"
            ),
            ("d/2026-01-02/03/2026-01-02T03:04:05.csv", "{location: 'd/{date}/03', tables: [public.a]}"),
            ("backups/public.a/audit.log/2026-01-02T03:04:05.csv", "{follow_foreign_keys: true, tables: [public.a]}"),
            (
                "backups/public.a/b.c/sequences/2026-01-02T03:04:05.json",
                "{follow_foreign_keys: true, tables: [public.a]}"
            ),
            ("reports/2026-01-02T03:04:05.csv", "tables: [{query: select 1, location: reports}]"),
            (
                "backups/my%2Flabel/2026-01-02T03:04:05.csv",
                "tables: [{name: my/label, query: select 1, location: 'backups/{table}'}]"
            ),
        ]
    )
    func own(path: String, yaml: String) throws {
        #expect(try moments(yaml, [path]) == [Self.moment])
    }

    @Test("A name without a timestamp has its date or nothing")
    func withoutTimestamp() throws {
        #expect(
            try moments("{filename: '{date}.{ext}', tables: [public.*]}", ["backups/public.a/2026-01-02.csv"])
                == ["2026-01-02"]
        )
        #expect(try moments("{filename: 'now.{ext}', tables: [public.*]}", ["backups/public.a/now.csv"]) == [""])
    }

    @Test("Whatever databudgie cannot have written is not recognised, however near it is")
    func others() throws {
        let paths = [
            "backups/public.a/2026-01-02T03:04:05.csv.bak", "backups/public.a/.2026-01-02T03:04:05.csv.1a.partial",
            "backups/public.a/2026-13-02T03:04:05.csv", "backups/public.a/2026-01-02T03:04:05.json",
            "backups/public.a/2026-01-02T03:04:05.sql", "backups/public.a/notes/2026-01-02T03:04:05.csv",
            "backups/public.a/ddl/2026-01-02T03:04:05.csv", "backups/public.a/sequences/2026-01-02T03:04:05.sql",
            "backups/audit.a/2026-01-02T03:04:05.csv", "backups/public/2026-01-02T03:04:05.csv",
            "backups/public.a/audit.log/2026-01-02T03:04:05.csv", "backups/2026-01-02T03:04:05.csv",
            "backups/ddl/2026-01-02T03:04:05.sql", "backups/ddl/tables/2026-01-02T03:04:05.json",
            "elsewhere/public.a/2026-01-02T03:04:05.csv", "/backups/public.a/2026-01-02T03:04:05.csv",
            "x/backups/public.a/2026-01-02T03:04:05.csv", "backups", "backups/public.a", "backups/public.a/",
            "s3://backups/public.a/2026-01-02T03:04:05.csv",
        ]
        #expect(try moments("tables: [public.*]", paths) == paths.map { _ in nil })
        #expect(
            try moments(
                "{follow_foreign_keys: true, tables: [public.a]}",
                [
                    "backups/public.b/audit.log/2026-01-02T03:04:05.csv",
                    "backups/public.a/nodot/2026-01-02T03:04:05.csv",
                    "backups/public.a/a.b/c.d/2026-01-02T03:04:05.csv",
                ]
            ) == [nil, nil, nil]
        )
    }

    @Test("The entries of one location are looked through once, and all of their tables count")
    func manyEntries() throws {
        let names = (0..<2_000).map { "public.t\($0)" }.joined(separator: ", ")
        let paths = (0..<2_000).map { "backups/public.t\($0)/\(Self.moment).csv" }
        #expect(try moments("tables: [\(names), audit.*]", paths) == paths.map { _ in Self.moment })
        #expect(
            try moments(
                "tables: [\(names), audit.*]",
                ["backups/audit.x/\(Self.moment).csv", "backups/public.x/\(Self.moment).csv"]
            )
                == [Self.moment, nil]
        )
    }
}
