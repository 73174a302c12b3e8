import Compression
import Crypto
import DatabudgieTestSupport
import Foundation
import Storage

@testable import Databudgie

/// A folder with sets that tests write themselves, with segments of a few kilobytes.
struct HandMadeSets {
    static let id = "2026-01-02T03:04:05"

    let storage: any Storage
    let folder: StoragePath
    let kind: StorageUnderTest

    /// Makes an empty folder, and removes it after the body.
    static func with(_ kind: StorageUnderTest, _ body: (HandMadeSets) async throws -> Void) async throws {
        try await kind.withStorage { storage, folder in
            try await body(HandMadeSets(storage: storage, folder: folder, kind: kind))
        }
    }

    var configuration: Configuration {
        get throws {
            try Configuration.load(
                yaml: "{root_location: '\(folder)', location: '{table}', tables: [a]}",
                environment: [:]
            )
        }
    }

    /// A verification of the folder's sets.
    func verification(_ level: SetVerification.Level = .hashes, partSize: Int64? = nil) async throws -> Verification {
        let environment = RunEnvironment(
            variables: kind == .s3 ? try await S3Server.shared.environment : [:],
            now: Date(timeIntervalSince1970: 1_770_000_000)
        )
        var verification = Verification(try configuration, level: level, jobs: 3, environment: environment)
        if let partSize { verification.partSize = partSize }
        return verification
    }

    /// What a verification of the only set finds.
    func damages(
        _ level: SetVerification.Level = .hashes,
        partSize: Int64? = nil
    ) async throws -> [SetVerification.Damage] {
        let verified = try await verification(level, partSize: partSize).run(Self.id)
        return if case .damaged(let damages) = verified.outcome { damages } else { [] }
    }

    func bytes(_ path: String) async throws -> [UInt8] {
        try await storage.read(folder.appending(path)).collect(upTo: 1 << 28)
    }

    func write(_ bytes: [UInt8], to path: String) async throws {
        _ = try await storage.write(folder.appending(path), ifExists: .replace, from: SingleChunk(bytes))
    }

    /// The result that is stored beside the record of the only set, as JSON.
    func stored() async throws -> [String: Any]? {
        guard try await storage.info(folder.appending("catalog/\(Self.id).verified.json")) != nil else { return nil }
        let bytes = try await bytes("catalog/\(Self.id).verified.json")
        return try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    }

    /// Writes a data file in segments.
    ///
    /// - Parameters:
    ///   - name: The table's name in `public`.
    ///   - lines: The header and the rows, each with its line break.
    ///   - columns: The recorded columns.
    ///   - format: Its compression.
    /// - Returns: The table as a backup records it.
    /// - Throws: `StorageError`.
    func writeTable(
        _ name: String,
        _ lines: [String],
        columns: [String] = ["id", "name"],
        _ format: CompressionFormat? = nil
    ) async throws -> SetRecord.Table {
        let writer = try SegmentWriter(format: format, segmentSize: 4_000)
        var file: [UInt8] = []
        for line in lines { file += try writer.append(Array(line.utf8), rows: 1).bytes }
        file += try writer.finish().flatMap(\.bytes)
        let path = "public.\(name)/\(Self.id).csv\(format?.fileSuffix ?? "")"
        try await write(file, to: path)
        let content = lines.joined().utf8.count
        return SetRecord.Table(
            schema: "public",
            name: name,
            columns: columns.map { SetRecord.Column(name: $0, type: "text") },
            rows: lines.count - 1,
            bytes: Int64(content),
            file: SetRecord.DataFile(
                path: path,
                bytes: Int64(file.count),
                compression: format?.rawValue,
                segments: writer.segments.map { segment in
                    let bytes = file[Int(segment.offset)..<Int(segment.offset + segment.bytes)]
                    return SetRecord.Segment(
                        offset: segment.offset,
                        bytes: segment.bytes,
                        uncompressedBytes: segment.uncompressedBytes,
                        rows: segment.rows,
                        sha256: hexadecimal(SHA256.hash(data: Data(bytes)))
                    )
                }
            ),
            sequences: []
        )
    }

    /// Writes a file that has one hash.
    func writeWhole(_ path: String, _ text: String) async throws -> SetRecord.File {
        let bytes = Array(text.utf8)
        try await write(bytes, to: path)
        return SetRecord.File(
            path: path,
            bytes: Int64(bytes.count),
            sha256: hexadecimal(SHA256.hash(data: Data(bytes)))
        )
    }

    /// Rows of an integer and a text, after a header.
    static func lines(_ count: Int, offset: Int = 0) -> [String] {
        ["id,name\n"]
            + (0..<count).map {
                "\($0 + offset + 10_000),\"row \(($0 + offset) &* 2_654_435_761 & 0xFFFF), \"\"x\"\"\"\n"
            }
    }

    /// A record of tables.
    func record(_ tables: [SetRecord.Table], definitions: [SetRecord.File] = []) -> SetRecord {
        let moment = Date(timeIntervalSince1970: 1_767_323_045)
        let sizes = tables.flatMap { [$0.file?.bytes, $0.sequencesFile?.bytes] }.compactMap(\.self)
        return SetRecord(
            id: Self.id,
            tool: "databudgie 3.0.0",
            status: .complete,
            consistency: .snapshot,
            startedAt: moment,
            finishedAt: moment,
            totals: SetRecord.Totals(
                tables: tables.count,
                rows: tables.reduce(0) { $0 + ($1.rows ?? 0) },
                bytes: tables.reduce(0) { $0 + ($1.bytes ?? 0) },
                fileBytes: (sizes + definitions.map(\.bytes)).reduce(0, +)
            ),
            tables: tables,
            definitions: definitions,
            foreignKeys: [],
            failures: [],
            warnings: []
        )
    }

    /// Stores a record.
    func write(_ record: SetRecord) async throws {
        try await write(try record.json(), to: "catalog/\(record.id).json")
    }

    /// Writes a set with a file of each kind.
    @discardableResult
    func writeSet() async throws -> SetRecord {
        var plain = try await writeTable("plain", Self.lines(900))
        plain.sequencesFile = try await writeWhole("public.plain/sequences/\(Self.id).json", "{\"a_seq\": [7, true]}\n")
        let tables = [
            plain, try await writeTable("gzip", Self.lines(900), .gzip),
            try await writeTable("zstd", Self.lines(900), .zstd),
        ]
        let definitions = [
            try await writeWhole("ddl/\(Self.id).sql", "create table plain (id int, name text);\n")
        ]
        let record = record(tables, definitions: definitions)
        try await write(record)
        return record
    }
}
