import Postgres

/// What a group needs of its tables before the first row, in the transaction of the load, and what is put back after the
/// last one.
struct GroupPreparation {
    let connection: Connection
    let catalog: DatabaseCatalog
    let loadGroup: LoadGroup
    /// User triggers that are off meanwhile.
    let triggers: [TargetTrigger]
    /// Constraints that are not valid, and that the rows may violate: they are not there meanwhile.
    var constraints: [NotValidConstraint] = []
    var attempts = LockAttempts()

    /// Tables that rows are added to, except those that the run has created, which nobody else uses.
    var appended: [Relation] {
        // What is altered is locked in that mode at once.
        let others = Set(altered.map(\.oid))
        return loadGroup.jobs.filter { $0.truncate == .keep && !$0.isNew }.map(\.relation)
            .filter { [.table, .partitionedTable].contains($0.kind) && !others.contains($0.oid) }
    }

    /// Constraints that have to be made deferrable for the load.
    var keys: [ForeignKey] {
        loadGroup.deferredKeys.filter { key in
            !key.isDeferrable
                && !constraints.contains { $0.table == key.referencing && $0.name.hasBytes(of: key.name) }
        }
    }

    /// Locks and empties tables, disables triggers, and makes constraints deferrable.
    ///
    /// - Throws: ``DatabudgieError`` when another session is in the way, or when a table that is only empty along with
    ///   others has rows; `PostgresError`.
    func begin() async throws {
        try await RestoreLocks(connection: connection, catalog: catalog).take(
            loadGroup.jobs.map(\.relation) + loadGroup.truncated
        )
        let (appended, altered) = (appended, altered)
        let locked =
            loadGroup.truncated + altered + appended + constraints.compactMap { $0.referenced.flatMap { catalog[$0] } }
        if !locked.isEmpty {
            let phase = LockingPhase(connection: connection, catalog: catalog, attempts: attempts)
            try await phase.run(locked, harmless: harmlessLocks) {
                try await lockTruncated()
                try await lock(appended)
                try await checkEmpty()
                for trigger in triggers { try await connection.execute(trigger.disabling(on: connection.server)) }
                try await alterKeys(to: "deferrable initially deferred")
                try await dropConstraints()
                if let truncation { try await connection.execute(truncation) }
            }
        }
        if !loadGroup.deferredKeys.isEmpty { try await connection.execute("set constraints all deferred") }
    }

    /// Checks what was deferred, and puts constraints and triggers back as they were.
    ///
    /// - Throws: `PostgresError`, when a constraint is violated.
    func end() async throws {
        if !loadGroup.deferredKeys.isEmpty || !triggers.isEmpty || !constraints.isEmpty {
            // A table with checks that are pending cannot be altered.
            try await connection.execute("set constraints all immediate")
        }
        try await alterKeys(to: "not deferrable")
        for constraint in constraints {
            guard let table = catalog[constraint.table] else { continue }
            for statement in constraint.restoring(to: table) { try await connection.execute(statement) }
        }
        for trigger in triggers { try await connection.execute(trigger.restoring(on: connection.server)) }
    }

    /// The locks of other sessions that only emptying tables, or emptying and altering them, has to wait for.
    private var harmlessLocks: [String] {
        guard loadGroup.truncated.isEmpty, constraints.isEmpty else { return [] }
        return ["AccessShareLock", "RowShareLock"] + (altered.isEmpty ? ["RowExclusiveLock"] : [])
    }

    var altered: [Relation] {
        triggers.map(\.table) + keys.compactMap { catalog[$0.referencing] }
            + constraints.compactMap { catalog[$0.table] }
    }

    /// At once in the mode that TRUNCATE needs: two that raise a weaker lock would wait for one another.
    private func lockTruncated() async throws {
        let tables = loadGroup.truncated.filter { $0.kind != .foreignTable }
        guard !tables.isEmpty else { return }
        try await connection.execute("lock table \(Self.list(tables)) in access exclusive mode")
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

    /// One command for all tables of the group, because they may refer to one another; never with CASCADE.
    private var truncation: String? {
        loadGroup.truncated.isEmpty ? nil : "truncate table " + Self.list(loadGroup.truncated)
    }

    private static func list(_ relations: [Relation]) -> String {
        relations.map { ($0.kind == .table ? "only " : "") + $0.name.quoted }.joined(separator: ", ")
    }

    /// Drops constraints that are as they were when they were checked.
    private func dropConstraints() async throws {
        guard !constraints.isEmpty else { return }
        let tables = constraints.compactMap { catalog[$0.table] }
        try await connection.execute("lock table \(Self.list(tables)) in access exclusive mode")
        let present = Set(
            try await NotValidConstraintReader(connection: connection).read(of: tables.map(\.oid))
        )
        for constraint in constraints {
            guard let table = catalog[constraint.table] else { continue }
            guard present.contains(constraint) else {
                throw DatabudgieError(
                    .database,
                    "the constraint \(constraint.name) of \(table.name) was changed after it was checked",
                    hint: "restore again when no migration is running"
                )
            }
            try await connection.execute(constraint.dropping(from: table))
        }
    }

    /// Changes only the catalog, and is rolled back with the transaction.
    private func alterKeys(to mode: String) async throws {
        for key in keys {
            guard let table = catalog[key.referencing] else { continue }
            try await connection.execute(
                "alter table \(table.name.quoted) alter constraint \(quotedIdentifier(key.name)) \(mode)"
            )
        }
    }
}
