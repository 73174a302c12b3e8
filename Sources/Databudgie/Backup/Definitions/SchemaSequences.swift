import Postgres

/// The values of sequences that belong to no table: they are set where the sequences are created, because no file of values
/// has them.
struct SchemaSequences {
    let connection: Connection

    /// Reads their values.
    ///
    /// - Parameter oids: The sequences.
    /// - Returns: A statement for each sequence that has moved, and a warning for each that cannot be read.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func values(of oids: [Relation.OID]) async throws -> (statements: [Relation.OID: String], findings: [Finding]) {
        guard !oids.isEmpty else { return ([:], []) }
        let rows = try await connection.query(Self.query, [oids.arrayLiteral]).rows
        let sequences = rows.compactMap { row -> (sequence: TableSequence, start: String?)? in
            guard let oid = row["oid"].flatMap(Relation.OID.init), let schema = row["schema"], let name = row["name"]
            else {
                return nil
            }
            let sequence = TableSequence(
                oid: oid,
                name: QualifiedName(schema: schema, name: name),
                bounds: Int64.min...Int64.max,
                isReadable: row["is_readable"] == "t",
                isSettable: false
            )
            return (sequence, row["start"])
        }
        let states = try await SequenceReader(connection: connection).read(sequences.map(\.sequence))
        var statements: [Relation.OID: String] = [:]
        var findings: [Finding] = []
        for (sequence, start) in sequences {
            switch states[sequence.oid] {
            case .success(let state)?:
                guard state.isCalled || String(state.lastValue) != start else { continue }
                statements[sequence.oid] =
                    "SELECT pg_catalog.setval(\(quotedLiteral(sequence.name.quoted)), \(state.lastValue), \(state.isCalled));"
            case .failure(let error)?:
                findings.append(Self.warning(sequence, error))
            case nil:
                continue
            }
        }
        return (statements, findings)
    }

    private static func warning(_ sequence: TableSequence, _ error: any Error) -> Finding {
        let reason = sequence.isReadable ? ErrorText(error).message : "the role lacks SELECT on it"
        return .warning(
            "the value of the sequence \(sequence.name) is not backed up, because \(reason)",
            hint: sequence.isReadable ? nil : "grant it"
        )
    }

    private static let query = """
        select c.oid, n.nspname as schema, c.relname as name, s.seqstart as start,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                and pg_catalog.has_sequence_privilege(c.oid, 'SELECT') as is_readable
        from pg_catalog.pg_class c
        join pg_catalog.pg_sequence s on s.seqrelid operator(pg_catalog.=) c.oid
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
        order by 2, 3
        """
}
