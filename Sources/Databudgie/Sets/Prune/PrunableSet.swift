import Foundation
import Storage

/// A set as far as pruning looks at it.
struct PrunableSet: Sendable {
    /// A file that its record names.
    struct File: Sendable {
        let path: StoragePath
        /// Its length in bytes, as recorded.
        let size: Int64
        /// It is where this configuration's files are; others are not touched, whatever a record says.
        var isRemovable = true
    }

    let id: String
    /// The moment that its data is of.
    let moment: Date
    /// The record's word for it.
    let status: String
    /// Everything can be restored from it, and no newer set has replaced any of its files.
    let isComplete: Bool
    /// Its last verification has found something.
    var isDamaged = false
    /// Sets of several databases do not take one another's place; nil when it is not known.
    let database: String?
    /// The tables that it has rows of.
    let tables: [String]
    let files: [File]
    /// The record, and what is beside it.
    let records: [StoragePath]

    /// Other runs may write the same files, or name them in records of their own: they do not have the set's own time.
    var hasLastingNames: Bool { !files.allSatisfy { $0.path.description.containsBytes(of: id) } }
}

extension PrunableSet {
    /// Reads a set from its catalog.
    ///
    /// - Parameters:
    ///   - entry: A set of the catalog.
    ///   - catalog: Where its record is.
    ///   - folders: The folders of the configuration's locations.
    /// - Throws: ``DatabudgieError`` when the record is damaged or of a later format; `StorageError`.
    init(_ entry: SetCatalog.Entry, in catalog: SetCatalog, folders: [StoragePath]) async throws {
        let record = try await catalog.record(entry.id)
        let path = catalog.recordPath(of: entry.id)
        guard record.id.hasBytes(of: entry.id), let moment = try? Date(entry.id + "Z", strategy: .iso8601) else {
            throw DatabudgieError(.dataFile, "the set record \(path) is damaged: it has the id '\(record.id)'")
        }
        (id, self.moment) = (entry.id, moment)
        isComplete = record.status == .complete && record.supersededBy == nil
        isDamaged = try await catalog.isDamaged(entry)
        let word = isDamaged ? SetVerification.Status.damaged.rawValue : record.status.rawValue
        status = record.supersededBy == nil ? word : "superseded"
        database = record.source?.database
        tables = record.tables.filter { $0.file != nil }.compactMap { table in
            table.name.map { (table.schema.map { "\($0)." } ?? "") + $0 }
        }
        let allowed = [catalog.paths.base] + folders
        let sizes =
            record.tables.compactMap { $0.file.map { ($0.path, $0.bytes) } }
            + record.tables.compactMap { $0.sequencesFile.map { ($0.path, $0.bytes) } }
            + record.definitions.map { ($0.path, $0.bytes) }
        var seen: Set<StoragePath> = []
        var files: [File] = []
        for (text, size) in sizes {
            let file = try Self.path(text, in: catalog, path)
            guard seen.insert(file).inserted else { continue }
            let isRecord = CatalogLocation.contains(catalog.folder, file)
            let isAllowed = !isRecord && allowed.contains { CatalogLocation.contains($0, file) }
            files.append(File(path: file, size: size, isRemovable: isAllowed))
        }
        self.files = files
        records = [path] + (entry.verification.map { [$0.path] } ?? [])
    }

    private static func path(_ text: String, in catalog: SetCatalog, _ record: StoragePath) throws -> StoragePath {
        do {
            return try catalog.paths.path(of: text)
        } catch {
            throw DatabudgieError(
                .dataFile,
                "the set record \(record) is damaged: it names the path '\(text)'",
                underlying: error
            )
        }
    }
}
