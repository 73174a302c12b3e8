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

    @Test("What has the shape of a time but is not in the calendar is never the newest")
    func impossibleTimes() async throws {
        let times = [
            "2024-13-45T99:99:99", "2024-13-01T00:00:00", "2025-02-29T00:00:00", "2024-04-31T00:00:00",
            "2024-00-10T00:00:00", "2024-03-00T00:00:00", "2024-03-01T24:00:00", "2024-03-01T00:60:00",
            "2024-03-01T00:00:60", "2100-02-29T00:00:00",
        ]
        try await withListing { folder in
            try Fixture.options("public.*", location: "\(folder)", filename: "{table}-{timestamp}.{ext}")
        } _: { folder in
            for time in times + ["2024-02-29T23:59:59"] { try create(folder.appending("public.a-\(time).csv")) }
        } _: { layout, listing in
            let pattern = try layout.pattern(.anyData, of: PathComponent(QualifiedName(schema: "public", name: "a")))
            #expect(listing.newest(pattern)?.path.lastComponent == "public.a-2024-02-29T23:59:59.csv")
            for time in times { #expect(listing.file(pattern, of: time) == nil, "\(time)") }
        }
    }

    @Test(
        "A name that differs from another one in case is found under both forms, and a twin's files are not taken for it",
        arguments: ["{table}/{timestamp}.{ext}", "{table}-{timestamp}.{ext}"]
    )
    func caseTwins(_ template: String) async throws {
        let (plain, exact) = ("public.A", "public.%41")
        func name(_ table: String, _ time: String) -> String {
            template.replacing("{table}", with: table).replacing("{timestamp}", with: time)
                .replacing("{ext}", with: "csv")
        }
        let table = QualifiedName(schema: "public", name: "A")
        func newest(of files: [String], hasTwin: Bool) async throws -> [String?] {
            var found: [String?] = []
            let parts = template.split(separator: "/").map(String.init)
            try await withTemporaryFolder { path in
                let folder = StoragePath.local(path)
                for file in files { try create(folder.appending(file)) }
                let options = try Fixture.options(
                    "public.*",
                    location: ([path] + parts.dropLast()).joined(separator: "/"),
                    filename: parts.last ?? ""
                )
                let pattern = try FileLayout(options).pattern(.anyData, of: PathComponent(table, hasTwin: hasTwin))
                let configuration = try Configuration.load(yaml: "url: postgresql://nowhere/d", environment: [:])
                let settings = try RunSettings(configuration, for: .restore, in: RunEnvironment(variables: [:]))
                try await StorageRouter.withStorages(settings) { storages in
                    let listing = try await FileListing([pattern], in: storages)
                    for file in [listing.newest(pattern), listing.file(pattern, of: Self.january)] {
                        found.append(file.map { String($0.path.description.dropFirst(path.utf8.count + 1)) })
                        if let file { #expect(pattern.time(of: file.path) != nil) }
                    }
                }
            }
            return found
        }
        let (oldPlain, newPlain) = (name(plain, Self.january), name(plain, Self.february))
        let (oldExact, newExact) = (name(exact, Self.january), name(exact, Self.february))
        #expect(try await newest(of: [oldPlain, newPlain], hasTwin: false) == [newPlain, oldPlain])
        #expect(try await newest(of: [oldPlain, newPlain], hasTwin: true) == [newPlain, oldPlain])
        #expect(try await newest(of: [oldPlain, newExact], hasTwin: false) == [newExact, oldPlain])
        #expect(try await newest(of: [oldPlain, newExact], hasTwin: true) == [newExact, nil])
        // Of one moment: on a disk without case the plain one is that of `a`.
        #expect(try await newest(of: [oldPlain, oldExact], hasTwin: false) == [oldExact, oldExact])
        #expect(try await newest(of: [newPlain, oldExact], hasTwin: false) == [newPlain, oldExact])
        #expect(try await newest(of: [newPlain, oldExact], hasTwin: true) == [oldExact, oldExact])
    }

    @Test("A name that is too long for a disk is shortened there, and in S3 only when the key is too long")
    func longNames() throws {
        let table = QualifiedName(schema: String(repeating: "/", count: 63), name: String(repeating: "/é", count: 21))
        let component = PathComponent(table)
        let moment = RunTimestamp(try Date(Self.january + "Z", strategy: .iso8601))
        let kinds: [FileLayout.Content] = [.data(DataFileFormat(compression: nil)), .sequences, .definition]
        for filename in ["{timestamp}.{ext}", "{table}.{ext}", "{table}-{timestamp}.{ext}"] {
            for (location, isShort) in [
                ("/backups/{table}", true), ("s3://bucket/{table}", false),
                ("s3://bucket/" + String(repeating: "x/", count: 350) + "{table}", true),
            ] {
                let layout = FileLayout(try Fixture.options("a", location: location, filename: filename))
                for kind in kinds {
                    let path = try layout.path(kind, of: component, at: moment)
                    #expect(path.description.contains("%-") == isShort, "\(path)")
                    #expect(path.description.split(separator: "/").allSatisfy { !isShort || $0.utf8.count <= 255 })
                    if case .s3(_, let key) = path { #expect(key.utf8.count <= 1024) }
                    let pattern = try layout.pattern(kind, of: component)
                    #expect(pattern.time(of: path) != nil, "\(path)")
                    // As after copying a backup from a disk to S3.
                    guard location == "s3://bucket/{table}" else { continue }
                    let disk = FileLayout(try Fixture.options("a", location: "/backups/{table}", filename: filename))
                    let copy = try disk.path(kind, of: component, at: moment).description
                        .replacing("/backups", with: "s3://bucket")
                    #expect(pattern.time(of: try StoragePath(copy)) != nil, "\(copy)")
                }
            }
        }
        let short = FileLayout(try Fixture.options("a", location: "/b/{table}"))
        let sales = PathComponent(QualifiedName(schema: "public", name: "sales"))
        #expect(try short.pattern(.anyData, of: sales).alternatives.isEmpty)
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
