import Compression
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Files without a set record")
struct AdoptionPlacesTests {
    private func read(_ yaml: String, _ path: String) throws -> String? {
        let configuration = try Configuration.load(yaml: yaml, environment: [:])
        let places = try AdoptionPlaces(configuration.backup.tables, configuration.backup.run.definitions)
        let file = FileInfo(
            path: try StoragePath(path),
            size: 1,
            modified: Date(timeIntervalSince1970: 0),
            version: nil
        )
        guard let adopted = places.read(file) else { return nil }
        let content =
            switch adopted.content {
            case .data(let compression): compression?.rawValue ?? "plain"
            case .sequences: "sequences"
            case .definitions: "definitions"
            }
        return "\(content) \(adopted.table ?? "-") \(adopted.id.suffix(8)) \(adopted.entry?.options.name ?? "-")"
    }

    @Test(
        "A path says what its file is, and of which table and time",
        arguments: [
            ("b/public.a/2026-01-02T03:04:05.csv", "plain public.a 03:04:05 public.a"),
            ("b/public.b/2026-01-02T03:04:05.csv.gz", "gzip public.b 03:04:05 -"),
            ("b/public.a/sequences/2026-01-02T03:04:05.json", "sequences public.a 03:04:05 public.a"),
            ("b/public.a/ddl/2026-01-02T03:04:05.sql", "definitions public.a 03:04:05 public.a"),
            ("b/public/ddl/2026-01-02T03:04:05.sql", "definitions public 03:04:05 -"),
            ("b/public.a/public.c/2026-01-02T03:04:05.csv", "plain public.c 03:04:05 -"),
            ("lists/2026-01-02T03:04:05.json", "definitions - 03:04:05 -"),
            ("days/2026-01-02/x-2026-01-02T03:04:06.csv", "plain - 03:04:06 q"),
            ("b/public.a/2026-01-02T03:04:05.csv.bak", nil), ("b/public.a/2026-13-02T03:04:05.csv", nil),
            ("b/public.a/2026-01-02T03:04:05.json", nil), ("other/public.a/2026-01-02T03:04:05.csv", nil),
            ("days/2026-01-02/x-2026-01-02T03:04:06.json", nil), ("b/public.a/2026-01-02.csv", nil),
        ] as [(String, String?)]
    )
    func paths(path: String, expected: String?) throws {
        let yaml = """
            {location: 'b/{table}', ddl: {location: lists}, tables: [
              {name: 'public.*', follow_foreign_keys: true}, public.a,
              {name: q, query: 'select 1', location: 'days/{date}/', filename: 'x-{timestamp}.{ext}'}]}
            """
        #expect(try read(yaml, path) == expected)
    }
}
