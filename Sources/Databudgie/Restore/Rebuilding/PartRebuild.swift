import Postgres

/// Drops what a load does without, and builds it again, in the transaction of the load.
final class PartRebuild {
    private let connection: Connection
    private let catalog: DatabaseCatalog
    private let parts: RebuiltParts
    private let settings: BuildSettings

    /// What has been dropped.
    private(set) var dropped = RebuiltParts()
    /// What stays where it is, because the server refuses to drop it.
    private(set) var findings: [Finding] = []
    /// Tables whose checks may wait for the end of the transaction: until then the server builds nothing on them.
    private var deferring: Set<Relation.OID> = []
    private var built: Set<Relation.OID> = []
    private var violations = ViolationQueries()

    /// Checks of tables with dropped parts may wait for the end of the transaction.
    var hasDeferredChecks: Bool { !deferring.isEmpty }

    /// - Parameters:
    ///   - parts: What is dropped.
    ///   - connection: Has a transaction open.
    ///   - catalog: Of the target.
    ///   - settings: With which they are built.
    init(_ parts: RebuiltParts, _ connection: Connection, _ catalog: DatabaseCatalog, _ settings: BuildSettings) {
        (self.parts, self.connection, self.catalog, self.settings) = (parts, connection, catalog, settings)
    }

    /// Locks the tables and drops the parts, if they are as they were when they were checked.
    ///
    /// One that the server refuses to drop, because something depends on it, say, stays.
    /// - Throws: ``DatabudgieError`` when one was changed meanwhile; `PostgresError`.
    func drop() async throws {
        (dropped, findings, deferring, built) = (RebuiltParts(), [], [], [])
        violations = ViolationQueries()
        let tables = parts.tables.sorted().compactMap { catalog[$0] }
        guard !tables.isEmpty else { return }
        let list = tables.map { ($0.kind == .table ? "only " : "") + $0.name.quoted }.joined(separator: ", ")
        try await connection.execute("lock table \(list) in access exclusive mode")
        // As they are built: an event trigger that needs a search path fails here already, and they stay.
        try await connection.withEmptySearchPath {
            try await checkUnchanged()
            violations = try await ViolationQueries(of: parts, catalog, over: connection)
            try await dropConstraints()
            try await dropIndexes()
        }
        deferring = try await deferringTables(among: dropped.tables)
    }

    /// Drops foreign keys before indexes, which they need.
    private func dropConstraints() async throws {
        for constraint in parts.constraints {
            guard let table = catalog[constraint.table] else { continue }
            let statement = constraint.dropping(from: table)
            // Rows may violate one that is not valid, so the load cannot do with it.
            guard constraint.isValidated else {
                try await connection.execute(statement)
                dropped.add(constraint)
                continue
            }
            if try await drop("foreign key \(constraint.name)", of: table, statement) { dropped.add(constraint) }
        }
    }

    private func dropIndexes() async throws {
        let children = Dictionary(grouping: parts.indexes.filter { $0.parent != nil }) { $0.parent ?? 0 }
        for index in parts.indexes where index.parent == nil {
            guard let table = catalog[index.table] else { continue }
            guard try await drop("index \(index.name.name)", of: table, index.dropping(from: table)) else { continue }
            var gone = [index]
            while let next = gone.popLast() {
                dropped.add(next)
                gone += children[next.oid] ?? []
            }
        }
    }

    /// Builds the indexes of tables that have all of their rows: what is loaded next may look them up.
    ///
    /// - Parameters:
    ///   - tables: The tables.
    ///   - isDeferring: Checks of all tables wait for the end.
    /// - Throws: ``KeyViolation``, `PostgresError`.
    func buildIndexes(of tables: Set<Relation.OID>, isDeferring: Bool) async throws {
        guard !isDeferring else { return }
        try await build(tables.subtracting(deferring))
    }

    /// Builds everything that is not there yet; no check may be pending.
    ///
    /// - Parameter willBuild: Receives the table of what is built next, for who is told about a failure.
    /// - Throws: ``KeyViolation``, `PostgresError`.
    func finish(_ willBuild: (Relation.OID) -> Void) async throws {
        guard !dropped.isEmpty else { return }
        for table in dropped.indexes.map(\.table) where !built.contains(table) {
            willBuild(table)
            try await build([table])
        }
        try await settings.with {
            for index in dropped.indexes.sorted(by: { $0.oid < $1.oid }) {
                guard let table = catalog[index.table] else { continue }
                willBuild(index.table)
                try await run(index.finishing(on: table), index)
            }
            let indexes = Dictionary(dropped.indexes.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
            for index in dropped.indexes {
                guard let parent = index.parent.flatMap({ indexes[$0] }) else { continue }
                try await run([index.attaching(to: parent)], index)
            }
            // Their triggers fire in the order of their OIDs.
            for constraint in dropped.constraints.sorted(by: { $0.oid < $1.oid }) {
                guard let table = catalog[constraint.table] else { continue }
                willBuild(constraint.table)
                let noun = constraint.referenced == nil ? "constraint" : "foreign key"
                let part = Part(
                    oid: constraint.oid,
                    table: constraint.table,
                    name: "\(noun) \(constraint.name)",
                    key: "foreign_keys"
                )
                try await run(constraint.restoring(to: table), part)
            }
        }
    }

    private func build(_ tables: Set<Relation.OID>) async throws {
        let tables = tables.subtracting(built)
        let indexes = dropped.indexes.filter { tables.contains($0.table) }.sorted { $0.oid < $1.oid }
        guard !indexes.isEmpty else { return }
        built.formUnion(tables)
        try await settings.with {
            for index in indexes { try await run(index.building, index) }
        }
    }

    /// What is built, for messages.
    private struct Part {
        let oid: UInt32
        let table: Relation.OID
        let name: String
        /// The key of the configuration by which it stays.
        var key = "indexes"
    }

    private func run(_ statements: [String], _ index: TableIndex) async throws {
        let noun = index.isUnique ? "unique key" : index.constraint == nil ? "index" : "constraint"
        try await run(statements, Part(oid: index.oid, table: index.table, name: "\(noun) \(index.name.name)"))
    }

    private func run(_ statements: [String], _ part: Part) async throws {
        guard !statements.isEmpty else { return }
        // In one round trip.
        let all = ["savepoint build_part"] + statements + ["release savepoint build_part"]
        do {
            try await connection.execute(all.joined(separator: "; "))
        } catch {
            // Unique, foreign-key and exclusion constraints.
            guard ["23505", "23503", "23P01"].contains(error.sqlState) else { throw described(error, part) }
            try await connection.execute("rollback to savepoint build_part; release savepoint build_part")
            let rows = await violations.rows(violating: part.oid, over: connection)
            throw KeyViolation(part: part.name, table: part.table, rows: rows, error: error)
        }
    }

    /// Says what was being built when the server refused it.
    private func described(_ error: PostgresError, _ part: Part) -> any Error {
        guard error.code == .serverError else { return error }
        let (text, table) = (ErrorText(error), catalog[part.table]?.name.label ?? "its table")
        return DatabudgieError(
            .database,
            "the \(part.name) of \(table) could not be built again after the rows: \(text.message)",
            hint: text.hint ?? "set '\(part.key): keep' to load the rows with it",
            underlying: error
        )
    }

    /// - Returns: False when the server refuses.
    private func drop(_ name: String, of table: Relation, _ statement: String) async throws -> Bool {
        do {
            // In one round trip.
            try await connection.execute("savepoint drop_part; \(statement); release savepoint drop_part")
            return true
        } catch {
            guard error.code == .serverError, LockConflict(of: error) == nil else { throw error }
            try await connection.execute("rollback to savepoint drop_part; release savepoint drop_part")
            findings.append(
                .warning(
                    "the \(name) is kept during the load, because it cannot be dropped: \(error.message)",
                    of: table.name.label
                )
            )
            return false
        }
    }

    private func checkUnchanged() async throws {
        let tables = Array(parts.tables)
        let constraints = Set(
            try await TableConstraintReader(connection: connection).read(notValidOf: tables, foreignKeysOf: tables)
        )
        let indexes = Set(try await TableIndexReader(connection: connection).read(of: parts.indexes.map(\.table)))
        let changed =
            parts.constraints.filter { !constraints.contains($0) }.map { ("constraint", $0.name, $0.table) }
            + parts.indexes.filter { !indexes.contains($0) }.map { ("index", $0.name.name, $0.table) }
        guard let (noun, name, oid) = changed.first, let table = catalog[oid] else { return }
        throw DatabudgieError(
            .database,
            "the \(noun) \(name) of \(table.name) was changed after it was checked",
            hint: "restore again when no migration is running"
        )
    }

    private func deferringTables(among tables: Set<Relation.OID>) async throws -> Set<Relation.OID> {
        guard !tables.isEmpty else { return [] }
        let query = """
            select distinct tgrelid as table from pg_catalog.pg_trigger
            where tgrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[]) and tginitdeferred
                and tgenabled operator(pg_catalog.<>) 'D'
            """
        let rows = try await connection.query(query, [tables.arrayLiteral]).rows
        return Set(rows.compactMap { $0["table"].flatMap(Relation.OID.init) })
    }
}
