import Foundation
import Postgres
public import Storage

/// A set whose record was read.
public struct StoredSet: Sendable {
    /// The record.
    public var record: SetRecord
    /// The folder of the set catalog.
    public let catalog: StoragePath
    /// The record as it is stored.
    public let json: [UInt8]
    /// What has to be said of how the set was found: newer ones that were passed over.
    public let warnings: [Finding]

    init(record: SetRecord, catalog: StoragePath, json: [UInt8] = [], warnings: [Finding] = []) {
        self.record = record
        self.catalog = catalog
        self.json = json
        self.warnings = warnings
    }

    /// Where a file of the set is.
    ///
    /// - Parameter text: A path as the record writes it.
    /// - Returns: The path; one on this machine is absolute.
    /// - Throws: ``DatabudgieError`` for a path that leads out of a folder again.
    public func path(of text: String) throws -> StoragePath {
        let path = try RecordedPaths(catalog: catalog).path(of: text)
        guard case .local(let local) = path, local.utf8.first != UInt8(ascii: "/") else { return path }
        return StoragePath.local(FileManager.default.currentDirectoryPath).appending(local)
    }

    /// Leaves some of the tables in the record.
    ///
    /// - Parameters:
    ///   - names: Names or globs over `schema.table`; one without a dot is compared with the table's own name. None: all.
    ///   - excluded: The same for tables that are left out.
    /// - Throws: ``DatabudgieError`` for a name that the set has no table for.
    public mutating func keepTables(_ names: [String], excluding excluded: [String]) throws {
        let (wanted, unwanted) = (names.map(TableFilter.init), excluded.map(TableFilter.init))
        let missing = wanted.filter { filter in !record.tables.contains(where: filter.matches) }
        try missing.map { filter in
            Finding.problem("the set \(record.id) has no table '\(filter.text)'")
        }.throwProblems(.nothingToDo)
        record.tables = record.tables.filter { table in
            (wanted.isEmpty || wanted.contains { $0.matches(table) }) && !unwanted.contains { $0.matches(table) }
        }
    }
}

/// A name or a glob that tables of a record are compared with.
private struct TableFilter {
    let text: String
    private let glob: Glob
    private let hasDot: Bool

    init(_ text: String) {
        self.text = text
        glob = Glob(text)
        hasDot = text.utf8.contains(UInt8(ascii: "."))
    }

    func matches(_ table: SetRecord.Table) -> Bool {
        let names = [table.label, hasDot ? nil : table.name].compactMap(\.self)
        return names.contains { $0.hasBytes(of: text) || glob.matches($0) }
    }
}

extension SetRecord.Table {
    /// The name that is shown: `schema.name`, the name of a query, or nothing but that it is one.
    public var label: String {
        switch (schema, name) {
        case (let schema?, let name?): QualifiedName(schema: schema, name: name).label
        case (nil, let name?): name
        case (_, nil): "(query)"
        }
    }
}
