import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Listings of folders that tables share")
struct FileListingTests {
    private static let january = "2024-01-01T00:00:00"
    private static let february = "2024-02-01T00:00:00"

    /// Names that are a part of another one, or that continue as a template may.
    private static let names = [
        "a", "a-b", "b", "b-a", "a-", "-a", "a-2023-12-31T23:59:59", "2023-12-31T23:59:59-a", "2023-12-31T23:59:59",
        "2023-12-31", "a.csv", "csv", "a.2023-12-31", "A", "\u{E9}", "e\u{301}", "e", "a-\u{301}b", "x{y}", "sequences",
    ]

    private static let tables =
        names.map { QualifiedName(schema: "public", name: $0) } + [
            QualifiedName(schema: "public-a", name: "b"), QualifiedName(schema: "a", name: "b"),
        ]

    /// Lists a folder on disk for the patterns of some tables.
    private func withListing(
        _ options: (StoragePath) throws -> TableOptions,
        _ write: (StoragePath) throws -> Void,
        _ body: (FileLayout, FileListing) throws -> Void
    ) async throws {
        let configuration = try Configuration.load(yaml: "url: postgresql://nowhere/d", environment: [:])
        let settings = try RunSettings(configuration, for: .restore, in: RunEnvironment(variables: [:]))
        try await withTemporaryFolder { path in
            let folder = StoragePath.local(path)
            try await StorageRouter.withStorages(settings) { storages in
                try write(folder)
                let layout = FileLayout(try options(folder))
                let patterns = try Self.tables.map { try layout.pattern(.anyData, of: PathComponent($0)) }
                try body(layout, try await FileListing(patterns, in: storages))
            }
        }
    }

    /// Creates a file that is not there yet; without a storage, which would wait for the disk each time.
    private func create(_ path: StoragePath, _ content: String = "x") throws {
        let url = URL(fileURLWithPath: path.description)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content.utf8).write(to: url, options: .withoutOverwriting)
    }

    @Test(
        "Each table finds its own newest file, whatever the names of the others are",
        arguments: [
            ("", "{table}-{timestamp}.{ext}"), ("", "{timestamp}-{table}.{ext}"), ("", "{timestamp}{table}{ext}"),
            ("{timestamp}", "{table}"), ("{timestamp}/{table}", "data.{ext}"), ("{date}", "{table}-{timestamp}.csv"),
            ("{table}", "{table}-{timestamp}"), ("{table}", "{timestamp}.{ext}"), ("x-{table}", "{table}.{date}.{ext}"),
            ("{date}-{table}", "{table}-{date}.{ext}"), ("{table}/{date}", "{table}/{timestamp}.{ext}"),
        ]
    )
    func newest(_ location: String, _ filename: String) async throws {
        func template(_ folder: StoragePath) throws -> TableOptions {
            let path = location.isEmpty ? folder.description : "\(folder)/\(location)"
            return try Fixture.options("public.*", location: path, filename: filename)
        }
        let moments = try [Self.january, Self.february].map {
            RunTimestamp(try Date($0 + "Z", strategy: .iso8601))
        }
        // Every other table has no file of February.
        func newest(_ number: Int) -> RunTimestamp { moments[number % 2] }
        try await withListing(template) { folder in
            let layout = FileLayout(try template(folder))
            for (number, table) in Self.tables.enumerated() {
                for moment in Set([Self.january, newest(number).timestamp]) {
                    let timestamp = try #require(moments.first { $0.timestamp == moment })
                    let path = try layout.path(
                        .data(DataFileFormat(compression: nil)),
                        of: PathComponent(table),
                        at: timestamp
                    )
                    try create(path, table.name)
                }
            }
        } _: { layout, listing in
            for (number, table) in Self.tables.enumerated() {
                let component = PathComponent(table)
                let pattern = try layout.pattern(.anyData, of: component)
                let expected = try layout.path(
                    .data(DataFileFormat(compression: nil)),
                    of: component,
                    at: newest(number)
                )
                #expect(listing.newest(pattern)?.path == expected, "\(table)")
                #expect(listing.newest(pattern, by: .useLatestFilename)?.path == expected, "\(table)")
                #expect(listing.newest(pattern)?.size == Int64(table.name.utf8.count))
                let first = try layout.path(.data(DataFileFormat(compression: nil)), of: component, at: moments[0])
                let time = try #require(pattern.time(of: first))
                #expect(listing.file(pattern, of: time)?.path == first)
                #expect(listing.file(pattern, of: "1999-01-01T00:00:00") == nil)
            }
        }
    }

    @Test("A table without a file has none of those of tables whose names begin or end like its own")
    func strangers() async throws {
        let files = [
            "public.a-b-\(Self.january).csv", "public.a--\(Self.january).csv", "public.aa-\(Self.january).csv",
            "public.a-\(Self.january)-\(Self.january).csv", "xpublic.a-\(Self.january).csv",
            "public.a-\(Self.january).csv.bak", "public.a-\(Self.january).json", "public.A-\(Self.january).csv",
            "sub/public.a-\(Self.january).csv",
        ]
        let filename = "{table}-{timestamp}.{ext}"
        try await withListing { folder in
            try Fixture.options("public.*", location: "\(folder)", filename: filename)
        } _: { folder in
            for file in files {
                try create(folder.appending(file))
            }
        } _: { layout, listing throws in
            func file(_ table: String) throws -> String? {
                let name = QualifiedName(schema: "public", name: table)
                return listing.newest(try layout.pattern(.anyData, of: PathComponent(name)))?.path.lastComponent
            }
            #expect(try file("a") == nil)
            #expect(try file("a-b") == files[0])
            #expect(try file("a-") == files[1])
            #expect(try file("A") == files[7])
            #expect(try file("b") == nil)
        }
    }

    @Test(
        "Of two files of one moment the one that was written last is chosen, and the newest by metadata whatever its name"
    )
    func metadata() async throws {
        let (old, new) = ("public.a-\(Self.january).csv.gz", "public.a-\(Self.january).csv")
        let newestName = "public.a-\(Self.february).csv"
        try await withListing { folder in
            try Fixture.options("public.*", location: "\(folder)", filename: "{table}-{timestamp}.{ext}")
        } _: { folder in
            for (file, time) in [(old, 2_000.0), (new, 3_000), (newestName, 1_000)] {
                let path = folder.appending(file)
                try create(path)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: time)],
                    ofItemAtPath: path.description
                )
            }
        } _: { layout, listing in
            let pattern = try layout.pattern(.anyData, of: PathComponent(QualifiedName(schema: "public", name: "a")))
            #expect(listing.newest(pattern)?.path.lastComponent == newestName)
            #expect(listing.newest(pattern, by: .useLatestMetadata)?.path.lastComponent == new)
            #expect(listing.file(pattern, of: Self.january)?.path.lastComponent == new)
        }
    }
}
