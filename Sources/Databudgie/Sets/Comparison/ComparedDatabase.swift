import Postgres

/// One of the two databases of a comparison, as one moment has it.
struct ComparedDatabase {
    let connection: Connection
    let catalog: DatabaseCatalog
    /// The tables and views that are compared, by their names.
    let relations: [QualifiedName: Relation]
    private let columns: [Relation.OID: [ByteKey: ColumnReader.ColumnFacts]]
    private let keys: [Relation.OID: [String]]
    private let sequences: [Relation.OID: Result<SequenceState, any Error>]

    /// Reads what is compared besides the rows.
    ///
    /// - Parameters:
    ///   - connection: Within a transaction of an export, in which names of types have their schemas from then on.
    ///   - manifest: No glob finds it.
    ///   - select: The tables and views that are compared.
    /// - Throws: `PostgresError`.
    init(
        _ connection: Connection,
        without manifest: QualifiedName?,
        select: (DatabaseCatalog) -> [Relation]
    ) async throws {
        self.connection = connection
        var catalog = try await DatabaseCatalogReader(connection: connection).read()
        catalog.manifest = manifest
        self.catalog = catalog
        let selected = select(catalog)
        relations = Dictionary(selected.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        try await connection.qualifyNames()
        columns = try await ColumnReader(connection: connection).columns(of: selected.map(\.oid))
        keys = try await Self.primaryKeys(of: selected.map(\.oid), over: connection)
        sequences = try await SequenceReader(connection: connection).read(selected.flatMap(catalog.sequences(of:)))
    }

    /// Connects for the body, which sees one moment of the database and writes nothing.
    ///
    /// - Parameters:
    ///   - parameters: How to connect.
    ///   - manifest: No glob finds it.
    ///   - select: The tables and views that are compared.
    ///   - body: Uses the database, which must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `PostgresError`.
    static func with<Result: Sendable>(
        _ parameters: ConnectionParameters,
        without manifest: QualifiedName?,
        select: (DatabaseCatalog) -> [Relation],
        _ body: (ComparedDatabase) async throws -> Result
    ) async throws -> Result {
        try await Connection.withConnection(to: parameters) { connection in
            try await connection.liftSessionLimits()
            return try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                try await body(try await ComparedDatabase(connection, without: manifest, select: select))
            }
        }
    }

    /// The columns of a relation with their types.
    func types(of relation: Relation) -> [ByteKey: String] {
        columns[relation.oid, default: [:]].mapValues(\.type)
    }

    /// The values of a relation's sequences, by their names.
    func sequenceValues(of relation: Relation) -> [QualifiedName: SequenceState] {
        var values: [QualifiedName: SequenceState] = [:]
        for sequence in catalog.sequences(of: relation) {
            if case .success(let state) = sequences[sequence.oid] { values[sequence.name] = state }
        }
        return values
    }

    /// What hashes the rows of a relation.
    ///
    /// - Parameters:
    ///   - relation: One of this database's.
    ///   - columns: Those that both sides have.
    /// - Returns: Its rows and the columns of its key.
    func hash(_ relation: Relation, _ columns: [String]) -> RowHash {
        let (key, known) = (keys[relation.oid, default: []], Set(columns.map { ByteKey($0) }))
        return RowHash(
            source: relation.ownRows,
            columns: columns,
            key: columns.isEmpty || key.allSatisfy { known.contains(ByteKey($0)) } ? key : [],
            connection: connection
        )
    }

    /// Whether the server computes a column.
    func isGenerated(_ column: String, of relation: Relation) -> Bool {
        columns[relation.oid]?[ByteKey(column)]?.isGenerated == true
    }

    private static func primaryKeys(
        of relations: [Relation.OID],
        over connection: Connection
    ) async throws -> [Relation.OID: [String]] {
        var keys: [Relation.OID: [String]] = [:]
        let query = """
            select i.indrelid, a.attname
            from pg_catalog.pg_index i
            cross join lateral pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality k (number, place)
            join pg_catalog.pg_attribute a
                on a.attrelid operator(pg_catalog.=) i.indrelid and a.attnum operator(pg_catalog.=) k.number
            where i.indisprimary and i.indrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
                and k.place operator(pg_catalog.<=) i.indnkeyatts
            order by 1, k.place
            """
        for row in try await connection.query(query, [relations.arrayLiteral]).rows {
            guard let relation = row["indrelid"].flatMap(Relation.OID.init), let name = row["attname"] else { continue }
            keys[relation, default: []].append(name)
        }
        return keys
    }
}

extension Relation {
    /// What a query reads that wants the rows of this table, and not those of tables that inherit from it.
    var ownRows: String { (kind == .table ? "only " : "") + name.quoted }
}

extension Connection {
    /// Names of types and the like are written with their schemas, as in an export of plain tables.
    ///
    /// - Throws: `PostgresError`.
    nonisolated(nonsending) func qualifyNames() async throws {
        try await execute("set local search_path = ''; set local timezone = 'UTC'")
    }
}
