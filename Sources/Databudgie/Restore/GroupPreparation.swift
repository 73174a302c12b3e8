import Postgres

/// What a group needs of its tables before the first row, in the transaction of the load, and what is put back after the
/// last one.
struct GroupPreparation {
    let connection: Connection
    let catalog: DatabaseCatalog
    let loadGroup: LoadGroup
    /// User triggers that are off meanwhile.
    let triggers: [TargetTrigger]
    /// Constraints and indexes that are not there meanwhile.
    let parts: RebuiltParts
    /// Tables that the run has created: if they are still empty, their rows can be frozen like those of tables that are emptied.
    let created: [Relation]
    let attempts: LockAttempts
    private let rebuild: PartRebuild
    private let state = State()

    /// What has been done to the tables.
    private final class State {
        /// Keys that are deferrable for the load only.
        var deferredKeys: [ForeignKey] = []
        var emptied: Set<Relation.OID> = []
    }

    init(
        connection: Connection,
        catalog: DatabaseCatalog,
        loadGroup: LoadGroup,
        triggers: [TargetTrigger],
        parts: RebuiltParts = RebuiltParts(),
        created: [Relation] = [],
        settings: BuildSettings? = nil,
        attempts: LockAttempts = LockAttempts()
    ) {
        (self.connection, self.catalog, self.loadGroup) = (connection, catalog, loadGroup)
        (self.triggers, self.parts, self.created, self.attempts) = (triggers, parts, created, attempts)
        rebuild = PartRebuild(parts, connection, catalog, settings ?? BuildSettings(connection: connection))
    }

    /// Tables that rows are added to, except those that the run has created, which nobody else uses.
    var appended: [Relation] {
        // What is altered is locked in that mode at once.
        let others = Set(altered.map(\.oid))
        return loadGroup.jobs.filter { $0.truncate == .keep && !$0.isNew }.map(\.relation)
            .filter { [.table, .partitionedTable].contains($0.kind) && !others.contains($0.oid) }
    }

    /// Constraints that have to be made deferrable for the load.
    var keys: [ForeignKey] { deferredKeys(without: parts).filter { !$0.isDeferrable } }

    /// Keys that cannot be checked before all rows are there.
    private func deferredKeys(without parts: RebuiltParts) -> [ForeignKey] {
        loadGroup.deferredKeys.filter { !parts.contains($0) }
    }

    /// What the preparation has found out that the checks before it could not.
    var findings: [Finding] { rebuild.findings }

    /// Whether the transaction has emptied a table, so COPY can freeze its rows: no other session needs to know who wrote them
    /// (PostgreSQL documentation, "COPY").
    func hasEmptied(_ relation: Relation) -> Bool { state.emptied.contains(relation.oid) }

    /// Locks and empties tables, disables triggers, drops constraints and indexes, and makes constraints deferrable.
    ///
    /// - Throws: ``DatabudgieError`` when another session is in the way, or when a table that is only empty along with
    ///   others has rows; `PostgresError`.
    func begin() async throws {
        try await RestoreLocks(connection: connection, catalog: catalog).take(
            loadGroup.jobs.map(\.relation) + loadGroup.truncated
        )
        let (appended, altered) = (appended, altered)
        let locked =
            loadGroup.truncated + altered + appended + parts.referenced.sorted().compactMap { catalog[$0] } + created
        if !locked.isEmpty {
            let phase = LockingPhase(connection: connection, catalog: catalog, attempts: attempts)
            try await phase.run(locked, harmless: harmlessLocks) {
                try await lockTruncated()
                try await lock(appended)
                try await checkEmpty()
                for trigger in triggers { try await connection.execute(trigger.disabling(on: connection.server)) }
                try await rebuild.drop()
                state.deferredKeys = deferredKeys(without: rebuild.dropped)
                try await alterKeys(to: "deferrable initially deferred")
                try await truncate()
            }
        }
        if !state.deferredKeys.isEmpty { try await connection.execute("set constraints all deferred") }
    }

    /// Builds the indexes of tables whose rows are all there.
    ///
    /// - Parameter tables: The tables.
    /// - Throws: ``KeyViolation``, `PostgresError`.
    func complete(_ tables: Set<Relation.OID>) async throws {
        try await rebuild.buildIndexes(of: tables, isDeferring: !state.deferredKeys.isEmpty)
    }

    /// Checks what was deferred, and puts constraints, indexes and triggers back as they were.
    ///
    /// - Parameter willBuild: Receives the table whose constraints and indexes are built next.
    /// - Throws: ``KeyViolation``, or `PostgresError` when a constraint is violated.
    func end(_ willBuild: (Relation.OID) -> Void = { _ in }) async throws {
        if !state.deferredKeys.isEmpty || !triggers.isEmpty || rebuild.hasDeferredChecks {
            // A table with checks that are pending cannot be altered.
            try await connection.execute("set constraints all immediate")
        }
        try await alterKeys(to: "not deferrable")
        try await rebuild.finish(willBuild)
        for trigger in triggers { try await connection.execute(trigger.restoring(on: connection.server)) }
    }

    /// The locks of other sessions that only emptying tables, or emptying and altering them, has to wait for.
    private var harmlessLocks: [String] {
        guard loadGroup.truncated.isEmpty, parts.isEmpty else { return [] }
        return ["AccessShareLock", "RowShareLock"] + (altered.isEmpty ? ["RowExclusiveLock"] : [])
    }

    var altered: [Relation] {
        triggers.map(\.table) + keys.compactMap { catalog[$0.referencing] }
            + parts.tables.sorted().compactMap { catalog[$0] }
    }

    /// At once in the mode that TRUNCATE needs: two that raise a weaker lock would wait for one another.
    private func lockTruncated() async throws {
        let tables = loadGroup.truncated.filter { $0.kind != .foreignTable }
        guard !tables.isEmpty else { return }
        let statement = "lock table \(Self.list(tables)) in access exclusive mode"
        // With TRUNCATE, in one text; but what follows must not take its failure for one of its own.
        guard !appended.isEmpty else { return await connection.sendWithNext(statement) }
        try await connection.execute(statement)
    }

    /// In the mode of COPY, which itself would wait for as long as another session alters the table.
    private func lock(_ appended: [Relation]) async throws {
        guard !appended.isEmpty else { return }
        do {
            try await connection.withSavepoint("append") {
                try await connection.execute("lock table \(Self.list(appended)) in row exclusive mode")
            }
        } catch let error as PostgresError where error.sqlState == "42501" {
            // INSERT on some columns is enough for COPY, and not for LOCK.
        }
    }

    private func checkEmpty() async throws {
        for relation in loadGroup.emptyReferrers
        where try await TargetStateReader(connection: connection).hasRows(relation) {
            throw DatabudgieError(
                .database,
                "\(relation.name) refers to a table that is truncated, and has rows now",
                hint: "restore it with truncate too, or empty it with 'truncate: cascade'"
            )
        }
    }

    /// In one command for all tables of the group, because they may refer to one another; never with CASCADE.
    private func truncate() async throws {
        state.emptied = []
        if !loadGroup.truncated.isEmpty {
            try await connection.execute("truncate table " + Self.list(loadGroup.truncated))
            state.emptied.formUnion(loadGroup.truncated.flatMap(catalog.carriers).map(\.oid))
        }
        for relation in created where !state.emptied.contains(relation.oid) {
            if try await isTruncated(relation) { state.emptied.insert(relation.oid) }
        }
    }

    /// Truncates a new table that has no rows, as it is about to be filled: the server then knows that nobody has seen it.
    private func isTruncated(_ relation: Relation) async throws -> Bool {
        let name = relation.name.quoted
        do {
            return try await connection.withSavepoint("created") {
                try await connection.execute("lock table only \(name) in access exclusive mode")
                guard try await !TargetStateReader(connection: connection).hasRows(relation) else { return false }
                try await connection.execute("truncate table only \(name)")
                return true
            }
        } catch let error as PostgresError where error.code == .serverError && LockConflict(of: error) == nil {
            return false
        }
    }

    private static func list(_ relations: [Relation]) -> String {
        relations.map { ($0.kind == .table ? "only " : "") + $0.name.quoted }.joined(separator: ", ")
    }

    /// Changes only the catalog, and is rolled back with the transaction.
    private func alterKeys(to mode: String) async throws {
        for key in state.deferredKeys where !key.isDeferrable {
            guard let table = catalog[key.referencing] else { continue }
            try await connection.execute(
                "alter table \(table.name.quoted) alter constraint \(quotedIdentifier(key.name)) \(mode)"
            )
        }
    }
}
