import Postgres

/// Finds rows for a subset in the database, in the snapshot of the run.
struct ServerSteps: SubsetSteps {
    let connection: Connection
    let plan: SubsetPlan
    /// The search path of the session, for SQL of the user's.
    let searchPath: String
    /// Some columns of the run are masked, so no message may have a value of a row.
    let hidesValues: Bool

    private var statements: StepSQL { StepSQL(graph: plan.graph) }

    /// The most rows of a statement that follows chains.
    private static let longestChain = 1_000_000
    /// The most arms of such a statement.
    private static let mostBranches = 64

    func start(_ number: Int, _ receive: ([RowAddress]) throws -> Void) async throws {
        let start = plan.starts[number]
        try await addresses(statements.start(start), [], receive) {
            explained($0, "the start of the subset", plan.graph.nodes[start.node].name.label)
        }
    }

    func step(
        _ arc: SubsetGraph.Arc,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: ([RowAddress]) throws -> Void
    ) async throws {
        let statement = statements.step(arc, from: leaf, isWhole: rows == nil)
        try await addresses(statement, rows ?? [], receive) { explained($0, arc.edge) }
    }

    func chains(
        _ arcs: [SubsetGraph.Arc],
        from rows: [RowAddress],
        _ receive: (Int, RowAddress) throws -> Void
    ) async throws -> Bool {
        let branches = arcs.reduce(0) { $0 + plan.graph.source(of: $1).leaves.count }
        guard branches <= Self.mostBranches else { return false }
        let statement = statements.chains(arcs, limit: Self.longestChain)
        try await prepare(statement, rows.map(\.place), tables: rows.map(\.table))
        var reader = AddressReader()
        var count = 0
        do {
            for try await chunk in try await copy(statement) {
                try reader.numbered(chunk.bytes) { number, address in
                    count += 1
                    try receive(number, address)
                }
            }
        } catch let error as PostgresError {
            throw statement.hasUserText ? explained(error, arcs[0].edge) : shown(error)
        }
        return count < Self.longestChain
    }

    func pairs(
        _ edge: Int,
        from leaf: SubsetGraph.Leaf,
        _ rows: [RowPlace]?,
        _ receive: (RowAddress, Int, RowAddress?) throws -> Void
    ) async throws {
        let statement = statements.pairs(edge, from: leaf, isWhole: rows == nil)
        try await prepare(statement, rows ?? [])
        var reader = AddressReader()
        do {
            for try await chunk in try await copy(statement) { try reader.pairs(chunk.bytes, receive) }
        } catch let error as PostgresError {
            throw explained(error, edge)
        }
    }

    /// The rows that a statement selects.
    func addresses(
        _ statement: SubsetStatement,
        _ rows: [RowPlace] = [],
        _ receive: ([RowAddress]) throws -> Void,
        explaining: ((PostgresError) -> any Error)? = nil
    ) async throws {
        try await prepare(statement, rows)
        var reader = AddressReader()
        do {
            for try await chunk in try await copy(statement) { try receive(try reader.addresses(chunk.bytes)) }
        } catch let error as PostgresError {
            throw explaining?(error) ?? shown(error)
        }
    }

    /// The number that a statement returns.
    func count(_ statement: SubsetStatement, _ rows: [RowPlace] = []) async throws -> Int {
        try await prepare(statement, rows)
        do {
            return try await connection.query(statement.text).rows.first?["count"].flatMap { Int($0) } ?? 0
        } catch {
            throw shown(error)
        }
    }

    /// The names of rows, for a message.
    func names(of node: Int, _ leaf: SubsetGraph.Leaf, _ rows: [RowPlace]) async throws -> [String] {
        let statement = statements.names(of: node, from: leaf)
        try await prepare(statement, rows)
        return try await connection.query(statement.text).rows.map { $0["name"] ?? "NULL" }
    }

    /// Sets what a statement reads: the rows of its batch, and the search path for the SQL in it.
    ///
    /// Both are local to the transaction, or to the savepoint in which the subset is found.
    func prepare(_ statement: SubsetStatement, _ rows: [RowPlace], tables: [Relation.OID] = []) async throws {
        _ = try await connection.query(
            """
            select pg_catalog.set_config('\(StepSQL.rowsSetting)', $1, true) is null,
                pg_catalog.set_config('\(StepSQL.tablesSetting)', $2, true) is null,
                pg_catalog.set_config('search_path', $3, true) is null
            """,
            [rows.arrayText, tables.arrayLiteral, statement.hasUserText ? searchPath : ""]
        )
    }

    private func copy(_ statement: SubsetStatement) async throws -> CopyOut {
        // The message at the end is not a row; the one with the header is the first row's, too.
        try await connection.copyOut("copy (\(statement.text)\n) to stdout (format binary)", hasHeader: true)
    }

    private func explained(_ error: PostgresError, _ edge: Int) -> any Error {
        explained(error, "the reference", plan.graph.edges[edge].name)
    }

    /// An error without what it quotes of rows that are masked.
    private func shown(_ error: PostgresError) -> PostgresError { hidesValues ? error.withoutMaskedValues : error }

    /// Names what the server could not do; a lost snapshot or connection is left as it is.
    private func explained(_ error: PostgresError, _ what: String, _ name: String) -> any Error {
        let error = shown(error)
        guard error.code != .connectionLost, error.code != .cancelled, !RecoveryConflict.isConflict(error) else {
            return error
        }
        return DatabudgieError(.database, "\(what) \(name): \(error.fullMessage)", hint: error.hint, underlying: error)
    }
}
