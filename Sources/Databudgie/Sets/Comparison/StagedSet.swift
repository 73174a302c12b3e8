import Compression
import Foundation
import Postgres
import Storage

/// Compares the files of a set with the tables of a database.
///
/// The rows of a file go into a temporary table with the column types of the compared one, so the same server reads and
/// hashes both: what a value looks like in the file does not matter, only what it means.
struct StagedSet {
    let record: SetRecord
    let paths: RecordedPaths
    let storages: StorageRouter
    let target: ComparedDatabase
    /// Another session of the same database, in which temporary tables are created.
    let staging: Connection
    var sides = ComparedSides.set

    /// The temporary table.
    private static let staged = QualifiedName(schema: "pg_temp", name: "databudgie_set")

    /// Connects twice to a database for the body, which sees one moment of it.
    ///
    /// - Parameters:
    ///   - record: The set.
    ///   - catalog: The catalog that it is in.
    ///   - parameters: How to connect.
    ///   - manifest: No glob finds it.
    ///   - select: The tables that are compared.
    ///   - body: Compares.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` when the role cannot create temporary tables there; `PostgresError`; what the body
    ///   throws.
    static func with<Result: Sendable>(
        _ record: SetRecord,
        _ catalog: SetCatalog,
        in parameters: ConnectionParameters,
        without manifest: QualifiedName? = nil,
        select: (DatabaseCatalog) -> [Relation],
        _ body: (StagedSet) async throws -> Result
    ) async throws -> Result {
        try await Connection.withConnection(to: parameters) { staging in
            try await staging.liftSessionLimits()
            try await checkTemporaryTables(staging)
            return try await ComparedDatabase.with(parameters, without: manifest, select: select) { target in
                try await body(
                    StagedSet(
                        record: record,
                        paths: catalog.paths,
                        storages: catalog.storages,
                        target: target,
                        staging: staging
                    )
                )
            }
        }
    }

    private static func checkTemporaryTables(_ connection: Connection) async throws {
        let row = try await connection.query(
            """
            select pg_catalog.pg_is_in_recovery() as is_standby,
                pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') as is_allowed
            """
        ).rows.first
        if row?["is_standby"] == "t" {
            throw DatabudgieError(
                .preflight,
                "the server is a standby, where the rows of a set cannot be put into temporary tables",
                hint: "compare the set with its primary"
            )
        }
        guard row?["is_allowed"] == "t" else {
            throw DatabudgieError(
                .preflight,
                "the role lacks TEMPORARY on the database \(connection.server.database): the rows of the set need a "
                    + "temporary table",
                hint: "grant it"
            )
        }
    }

    /// The tables of the set that can be compared: those of which all rows were exported.
    var tables: [SetRecord.Table] { record.tables.filter(\.isWholeTable) }

    /// Compares a table of the set with that of the database.
    ///
    /// - Parameter table: One of the set's.
    /// - Returns: What differs; what keeps the file from being read or its rows from being loaded is among it.
    /// - Throws: `PostgresError`, `StorageError` or ``DatabudgieError`` for what says nothing about the table;
    ///   `CancellationError`.
    func compare(_ table: SetRecord.Table) async throws -> ComparedTable {
        var compared = ComparedTable(name: table.label)
        compared.sourceRows = table.rows
        let name = table.tableName(defaultSchema: target.catalog.defaultSchema)
        guard let relation = name.flatMap({ target.relations[$0] }) else {
            compared.differences = ["it is only in the \(sides.source)"]
            return compared
        }
        let (begun, file) = (compared, table.file)
        if let file {
            switch try await FileFailure.result({ try await compareRows(begun, table, file, relation) }) {
            case .success(let result): compared = result
            case .failure(let error): compared.differences = ["its rows cannot be compared: \(error.message)"]
            }
        }
        switch try await FileFailure.result({ try await sequenceDifferences(table, relation) }) {
        case .success(let differences): compared.differences += differences
        case .failure(let error):
            compared.differences.append("the values of its sequences cannot be compared: \(error.message)")
        }
        return compared
    }

    // MARK: - Rows

    private func compareRows(
        _ begun: ComparedTable,
        _ table: SetRecord.Table,
        _ file: SetRecord.DataFile,
        _ relation: Relation
    ) async throws -> ComparedTable {
        let (path, storage, header) = try await self.header(of: file, for: relation)
        let types = target.types(of: relation)
        // What the server computes was not loaded.
        let keeps = header.columns.map { types[ByteKey($0)] != nil && !target.isGenerated($0, of: relation) }
        let columns = zip(header.columns, keeps).filter(\.1).map(\.0)
        guard !columns.isEmpty || header.columns.isEmpty else {
            throw DatabudgieError(.dataFile, "the table has none of the columns of \(path)")
        }
        var compared = begun
        // A query has columns of its own: some of the table's, of types that are converted.
        if table.isWholeTable {
            compared.differences = sides.columnDifferences(recordedTypes(table, header, types), types)
        }
        let load = Load(path: path, header: header, keeps: keeps, columns: columns, storage: storage)
        let (rows, sum, other, keys) = try await staging.withTransaction(.writing, idleTimeout: nil) {
            let rows = try await stage(load, relation)
            try await staging.pinSettings(of: .snapshot, idleTimeout: nil)
            try await staging.qualifyNames()
            return try await hashes(relation, columns, rows: rows)
        }
        if let recorded = table.rows, recorded != rows {
            compared.differences.append("its file has \(counted(rows, "row")), and the set record says \(recorded)")
        }
        (compared.sourceRows, compared.targetRows) = (sum.rows, other.rows)
        if let difference = sides.rowDifference(sum, other) { compared.differences.append(difference) }
        compared.keys = keys
        return compared
    }

    private func header(
        of file: SetRecord.DataFile,
        for relation: Relation
    ) async throws -> (StoragePath, any Storage, CSVHeader) {
        let path = try paths.path(of: file.path)
        let storage = storages.storage(for: path)
        let place = FileInfo(path: path, size: file.bytes, modified: .distantPast, version: nil)
        let header = try await DataFileHeader(storage: storage).read(place).header.matching(
            relation.columns.map(\.name)
        )
        guard Set(header.columns.map { ByteKey($0) }).count == header.columns.count else {
            throw DatabudgieError(.dataFile, "\(path) has two columns of one name")
        }
        return (path, storage, header)
    }

    private struct Load: Sendable {
        let path: StoragePath
        let header: CSVHeader
        let keeps: [Bool]
        let columns: [String]
        let storage: any Storage

        var list: String { columns.map(quotedIdentifier).joined(separator: ", ") }
    }

    /// Puts the rows of a file into the temporary table, until the transaction ends.
    ///
    /// - Returns: The rows of the file.
    private func stage(_ load: Load, _ relation: Relation) async throws -> Int {
        try await staging.execute(
            """
            create temporary table \(quotedIdentifier(Self.staged.name)) on commit drop as
                select \(load.list) from \(relation.ownRows) with no data
            """
        )
        let bytes = try await load.storage.read(load.path)
        let stream = ImportStream(bytes, of: load.path, header: load.header, meter: TransferMeter { _ in })
        let columns = load.columns.isEmpty ? "" : " (\(load.list))"
        do {
            _ = try await staging.copyIn(
                "copy \(Self.staged.quoted)\(columns) from stdin with (format csv, header)",
                from: stream.records(keeping: load.keeps)
            )
        } catch let error as CompressionError {
            throw DatabudgieError(.dataFile, "\(load.path): \(error.message)", hint: error.hint, underlying: error)
        } catch let error as PostgresError where !error.isServerTrouble {
            throw DatabudgieError(.database, "\(load.path): \(error.fullMessage)", hint: error.hint, underlying: error)
        }
        return stream.rows
    }

    private func hashes(
        _ relation: Relation,
        _ columns: [String],
        rows: Int
    ) async throws -> (rows: Int, RowHash.Sum, RowHash.Sum, keys: [DifferingKey]) {
        let hash = target.hash(relation, columns)
        let own = RowHash(source: Self.staged.quoted, columns: columns, key: hash.key, connection: staging)
        // What the role is not allowed to read must not end the transaction.
        return try await target.connection.withSavepoint("comparison") {
            do {
                async let first = own.sum()
                async let second = hash.sum()
                let (sum, other) = (try await first, try await second)
                let keys = sum == other ? [] : try await own.differences(from: hash, limit: Comparison.namedKeys)
                return (rows, sum, other, keys)
            } catch let error as PostgresError where !error.isServerTrouble {
                throw DatabudgieError(.database, error.fullMessage, hint: error.hint, underlying: error)
            }
        }
    }

    /// The types of the file's columns: those of the table where the record does not know another one.
    ///
    /// A record has types as the role of the backup sees them, without the schemas of its search path.
    private func recordedTypes(
        _ table: SetRecord.Table,
        _ header: CSVHeader,
        _ types: [ByteKey: String]
    ) -> [ByteKey: String] {
        let recorded = Dictionary(
            table.columns.map { (ByteKey($0.name), $0.type) },
            uniquingKeysWith: { first, _ in first }
        )
        return Dictionary(
            header.columns.map { name in
                let (type, other) = (recorded[ByteKey(name)], types[ByteKey(name)])
                guard let type, !type.isEmpty else { return (ByteKey(name), other ?? "") }
                let isSame = other?.utf8.reversed().starts(with: ".\(type)".utf8.reversed()) == true
                return (ByteKey(name), isSame ? other ?? type : type)
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    // MARK: - Sequences

    private func sequenceDifferences(_ table: SetRecord.Table, _ relation: Relation) async throws -> [String] {
        guard let file = table.sequencesFile else { return [] }
        let path = try paths.path(of: file.path)
        let bytes = try await storages.storage(for: path).read(path).collect(upTo: 4 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DatabudgieError(.dataFile, "\(path) is not valid UTF-8")
        }
        let entries = try SequencesFile.entries(text, path: path)
        let values = target.sequenceValues(of: relation)
        let sequences = Dictionary(
            target.catalog.sequences(of: relation).flatMap { sequence in
                sequence.fileKeys.map { (ByteKey($0), sequence.name) }
            },
            uniquingKeysWith: { first, _ in first }
        )
        return entries.compactMap { key, state in
            guard let name = sequences[ByteKey(key)] else {
                return "the sequence \(key) is only in the \(sides.source)"
            }
            guard let other = values[name] else { return "the sequence \(name) cannot be read in the \(sides.target)" }
            return sides.sequenceDifference(name.description, state, other)
        }
    }
}

extension SetRecord.Table {
    /// All rows of a table were exported, rather than what a query selects.
    var isWholeTable: Bool { query == nil && name != nil }
}
