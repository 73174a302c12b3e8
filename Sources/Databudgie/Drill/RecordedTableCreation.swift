import Foundation
import Postgres
import Storage

/// Creates tables of a set that has no definitions of them, with the columns of its record.
struct RecordedTableCreation {
    let database: ConnectionParameters
    let catalog: SetCatalog
    /// Receives what the user should know.
    let report: @Sendable (Finding) -> Void

    /// Creates the tables that are not there.
    ///
    /// - Parameter tables: The tables by their names.
    /// - Returns: Those that cannot be created, with the reason.
    /// - Throws: `PostgresError`, `StorageError`.
    func run(
        _ tables: [(key: QualifiedName, value: SetRecord.Table)]
    ) async throws -> [(name: QualifiedName, message: String)] {
        try await Connection.withConnection(to: database) { connection in
            try await connection.liftSessionLimits()
            var failures: [(name: QualifiedName, message: String)] = []
            for (name, table) in tables {
                do {
                    try await create(name, table, connection)
                } catch let error as PostgresError where !error.isServerTrouble {
                    failures.append((name, error.fullMessage))
                } catch let error as DatabudgieError {
                    failures.append((name, error.message))
                }
            }
            return failures
        }
    }

    private func create(_ name: QualifiedName, _ table: SetRecord.Table, _ connection: Connection) async throws {
        // It may have come with an extension.
        let known = try await connection.query(
            "select pg_catalog.to_regclass($1)::pg_catalog.text as name",
            [name.quoted]
        ).rows.first?["name"]
        guard known == nil else { return }
        let columns = try await columns(of: table, name, connection)
        try await connection.execute(
            """
            create schema if not exists \(quotedIdentifier(name.schema));
            create table \(name.quoted) (\(columns.joined(separator: ", ")))
            """
        )
    }

    private func columns(
        of table: SetRecord.Table,
        _ name: QualifiedName,
        _ connection: Connection
    ) async throws -> [String] {
        guard !table.hasUnknownColumns else { return try await columns(inFileOf: table, name) }
        var columns: [String] = []
        for column in table.columns {
            let isKnown = try await isKnown(column.type, connection)
            if !isKnown {
                report(
                    .warning(
                        "the column \(column.name) is restored as text, because the database of the drill has no type "
                            + column.type,
                        of: name.label
                    )
                )
            }
            let rule = column.notNull == true ? " not null" : ""
            columns.append("\(quotedIdentifier(column.name)) \(isKnown ? column.type : "text")\(rule)")
        }
        return columns
    }

    /// A file that was adopted unread: its header says what the record does not.
    private func columns(inFileOf table: SetRecord.Table, _ name: QualifiedName) async throws -> [String] {
        guard let file = table.file else { return [] }
        let path = try catalog.paths.path(of: file.path)
        let place = FileInfo(path: path, size: file.bytes, modified: .distantPast, version: nil)
        let header = try await DataFileHeader(storage: catalog.storages.storage(for: path)).read(place).header
        report(.warning("its columns are not recorded, and are restored as text", of: name.label))
        return header.columns.map { "\(quotedIdentifier($0)) text" }
    }

    /// Whether a type of the record is one here; nothing else of a record becomes SQL.
    private func isKnown(_ type: String, _ connection: Connection) async throws -> Bool {
        guard RecordedType(type) != nil else { return false }
        let found = try await connection.query(
            "select pg_catalog.to_regtype($1)::pg_catalog.text as type",
            [type]
        ).rows.first
        return found?["type"] != nil
    }
}
