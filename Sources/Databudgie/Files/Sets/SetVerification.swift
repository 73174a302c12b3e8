public import Foundation
import Storage

/// The result of a set's last verification: the file `<id>.verified.json` beside its record.
public struct SetVerification: Sendable, Codable, Equatable {
    /// The format that this version writes, and the newest that it reads.
    public static let currentFormat = 1
    /// The most findings that are stored.
    public static let maximumFindings = 1_000

    /// How thoroughly a set is verified; each level includes those before it.
    @nonexhaustive
    public enum Level: String, Sendable, Codable, CaseIterable {
        /// All files are there and have the recorded sizes.
        case files
        /// All bytes are as recorded, can be decompressed, and hold as many rows.
        case hashes
        /// Every record has as many fields as there are columns, and counts and headers are those of the set record.
        case rows
        /// A database that was restored from the set has its rows, under all of its constraints.
        case restore
    }

    /// Whether something was found.
    @nonexhaustive
    public enum Status: String, Sendable, Codable {
        /// Nothing was found.
        case ok
        /// Something was, in the files of the set.
        case damaged
        /// The files are as recorded, and a drill has found something: the server may lack what the set needs.
        case failed
    }

    /// Something that is not as the record says.
    public struct Damage: Sendable, Codable, Equatable {
        /// The full name of the table that it concerns; nil for a file of no table.
        public var table: String?
        /// The file, as the record writes its path; nil for what concerns no file.
        public var path: String?
        /// The number of the segment in the file, from 1; nil for what concerns no segment.
        public var segment: Int?
        /// Where in the file it is, in bytes: the position of the segment's first byte, or where it was noticed.
        public var offset: Int64?
        /// What is wrong, without a full stop and without a value of a row.
        public var message: String
    }

    /// The version of the file's layout.
    public var format = SetVerification.currentFormat
    /// The id of the set.
    public var id: String
    /// What has verified it: `databudgie 3.0.0`.
    public var tool: String
    /// How thoroughly.
    public var level: Level
    /// When, in whole seconds.
    public var verifiedAt: Date
    /// Whether something was found.
    public var status: Status
    /// What was found, in the order of the record; at most ``maximumFindings``.
    public var findings: [Damage]
    /// How much was found.
    public var findingCount: Int
    /// The files of which no hashes are recorded, so that only their form could be verified; nil when there are none.
    public var unhashedFiles: Int?

    enum CodingKeys: String, CodingKey {
        case format, id, tool, level, status, findings
        case verifiedAt = "verified_at"
        case findingCount = "finding_count"
        case unhashedFiles = "unhashed_files"
    }
}

extension SetVerification.Damage {
    /// What is wrong, after its table and its place.
    ///
    /// - Parameter file: The file as it can be found from here; nil takes the path of the record.
    /// - Returns: One line.
    public func sentence(file: String? = nil) -> String {
        var place = file ?? path ?? ""
        if let segment { place += (place.isEmpty ? "" : ", ") + "segment \(segment)" }
        if let offset { place += (place.isEmpty ? "" : " ") + "at byte \(offset)" }
        return [table, place.isEmpty ? nil : place, message].compactMap(\.self).joined(separator: ": ")
    }
}

extension SetCatalog {
    /// Reads the result of a set's last verification.
    ///
    /// - Parameter id: The id of the set.
    /// - Returns: The result; nil when there is none, or none that this version can read.
    /// - Throws: `StorageError`.
    func verification(_ id: String) async throws -> SetVerification? {
        do {
            let bytes = try await bytes(of: verificationPath(of: id))
            let result = try? CatalogJSON.value(SetVerification.self, bytes)
            return result.flatMap { $0.format <= SetVerification.currentFormat ? $0 : nil }
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }

    /// Whether the last verification of a set has found something.
    ///
    /// - Parameter entry: The set.
    /// - Returns: false, too, when it was never verified, or when the result cannot be read.
    /// - Throws: `StorageError` when the storage cannot be used at all; `CancellationError`.
    func isDamaged(_ entry: Entry) async throws -> Bool {
        guard entry.verification != nil else { return false }
        let result = try await FileFailure.result { try await verification(entry.id) }
        return (try? result.get())??.status == .damaged
    }

    /// Stores the result of a verification in place of the last one.
    ///
    /// - Throws: `StorageError`.
    func store(_ verification: SetVerification) async throws {
        let bytes = try CatalogJSON.bytes(verification)
        let path = verificationPath(of: verification.id)
        await FailPoint.reached(.resultUnstored)
        _ = try await storages.storage(for: folder).write(path, ifExists: .replace, from: SingleChunk(bytes))
        await FailPoint.reached(.resultStored)
    }
}
