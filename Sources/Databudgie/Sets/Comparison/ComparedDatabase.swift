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
    ///   - connection: Within a transaction of an export.
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
        columns = try await ColumnReader(connection: connection).columns(of: selected.map(\.oid))
        keys = try await Self.primaryKeys(of: selected.map(\.oid), over: connection)
        sequences = try await SequenceReader(connection: connection).read(selected.flatMap(\.sequences))
    }

    /// The columns of a relation with their types.
    func types(of relation: Relation) -> [ByteKey: String] {
        columns[relation.oid, default: [:]].mapValues(\.type)
    }

    /// The values of a relation's sequences, by their names.
    func sequenceValues(of relation: Relation) -> [QualifiedName: SequenceState] {
        var values: [QualifiedName: SequenceState] = [:]
        for sequence in relation.sequences {
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
        RowHash(relation: relation, columns: columns, key: keys[relation.oid, default: []], connection: connection)
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
