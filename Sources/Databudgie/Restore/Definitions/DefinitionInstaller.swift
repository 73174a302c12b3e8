import Postgres
import Storage

/// Creates the listed tables from their definitions: what rows need before they are loaded, the rest afterwards.
struct DefinitionInstaller {
    /// A definition that could not be created.
    struct Failure {
        /// The table's full name; a schema's for what belongs to no table.
        let table: String
        let error: DatabudgieError
    }

    private let session: DatabaseSession
    private let stored: StoredDefinitions
    private let existing: ExistingTables
    /// The schema that `clean` has created for the manifest.
    private let ownSchema: String?
    /// Whether one transaction can create all tables: it holds locks on each of them.
    let fitsOneTransaction: Bool
    /// What exists already or was skipped, from one batch to the next.
    private let settled = SettledDefinitions()

    /// Definitions in one transaction, when they need not be in one all together.
    private static let batchSize = 400

    /// Compares the definitions with the target, and changes nothing.
    ///
    /// - Parameters:
    ///   - stored: What is to be created.
    ///   - session: The target.
    ///   - ownSchema: A schema that this run has created already.
    ///   - isDone: Whether an earlier run has loaded a table already.
    /// - Returns: What creates them.
    /// - Throws: ``DatabudgieError`` with the code `preflight` when something that is not listed depends on a table that
    ///   would be dropped, when a definition that cannot be used stops everything, or when the server has too few locks;
    ///   `PostgresError`.
    static func compare(
        _ stored: StoredDefinitions,
        session: DatabaseSession,
        ownSchema: String? = nil,
        isDone: (QualifiedName) -> Bool
    ) async throws -> DefinitionInstaller {
        let connection = session.connection
        let (existing, findings) = try await session.withTransaction(.catalog) {
            try await ExistingTables.find(stored, over: connection, isDone: isDone)
        }
        let isStrict = session.settings.isStrict
        var problems = stored.findings(isStrict: isStrict) + findings + existing.clashes(with: stored.derived)
        if isStrict || session.settings.isAllOrNothing || existing.isStopped(by: stored, isDone: isDone) {
            problems += stored.failures.flatMap(\.problems)
        }
        try problems.throwProblems(.preflight)
        stored.findings.forEach(session.recorder.found)
        findings.forEach(session.recorder.found)
        var stored = stored
        // What is dropped has to come back.
        for index in existing.functions.compactMap({ $0.definition(in: stored.definitions) }) {
            stored.definitions[index].definition.isOptional = false
        }
        return DefinitionInstaller(
            session: session,
            stored: stored,
            existing: existing,
            ownSchema: ownSchema,
            fitsOneTransaction: try await fitsLocks(
                stored,
                existing,
                isAllOrNothing: session.settings.isAllOrNothing,
                connection
            )
        )
    }

    private init(
        session: DatabaseSession,
        stored: StoredDefinitions,
        existing: ExistingTables,
        ownSchema: String?,
        fitsOneTransaction: Bool
    ) {
        self.session = session
        self.stored = stored
        self.existing = existing
        self.ownSchema = ownSchema
        self.fitsOneTransaction = fitsOneTransaction
    }

    /// Whether the server has enough locks for one transaction, without which tables cannot be replaced, nor all of them be
    /// restored or none.
    private static func fitsLocks(
        _ stored: StoredDefinitions,
        _ existing: ExistingTables,
        isAllOrNothing: Bool,
        _ connection: Connection
    ) async throws -> Bool {
        let isReplacement = !existing.replaced.isEmpty
        let definitions = stored.definitions.filter {
            (isReplacement || isAllOrNothing || $0.definition.section == .preData)
                && !($0.definition.relation.map(existing.kept.contains) ?? false)
        }
        let estimate = LockBudget.estimate(definitions, dropped: existing.replaced.count)
        let isEnough = estimate <= (try await LockBudget(connection: connection).available)
        if isAllOrNothing, !isEnough { throw LockBudget.refusal(of: estimate) }
        guard isEnough || !isReplacement else {
            throw DatabudgieError(
                .preflight,
                "replacing \(counted(existing.replaced.count, "existing table")) in one transaction needs about \(estimate) "
                    + "locks, more than the server has",
                hint: "raise max_locks_per_transaction, drop the tables first, or restore fewer of them at once"
            )
        }
        return isEnough
    }

    /// Whether some of the tables exist: the new ones then replace them with all their rows, or nothing changes.
    var isReplacement: Bool { !existing.replaced.isEmpty }

    /// Tables and views that exist and are re-created.
    var replacedNames: Set<QualifiedName> { Set(existing.replaced.map(\.name)) }

    /// The tables and views that are created.
    var names: [QualifiedName] { stored.listed.filter { !existing.preserved.contains($0) } }

    /// Entries for the tables that are included by foreign keys.
    var included: [RestoreEntry] { stored.included.map(\.entry) }

    /// Tables that are not created, because a definition is missing or damaged.
    var failures: [DefinitionFailure] { stored.failures }

    /// The target's tables as they will be, as far as names say it.
    ///
    /// - Parameters:
    ///   - entries: The restore's entries; what one of them names exactly and nothing else has may come with an extension.
    ///   - manifest: The run's manifest, which no glob finds.
    /// - Returns: A catalog whose new tables have names and no columns.
    func expectedCatalog(for entries: [RestoreEntry], without manifest: ManifestTable?) -> DatabaseCatalog {
        var catalog = existing.catalog
        catalog.manifest = manifest?.name
        let selection = TableSelection(catalog: catalog)
        var known = Set(catalog.relations.map(\.name)).union(names)
        let unknown = entries.compactMap(\.options.name).filter { !Glob($0).hasWildcards }.compactMap { name in
            PathComponent.name(selection.pattern(for: name))
        }.filter { known.insert($0).inserted }
        return catalog.expecting(names + unknown, from: stored)
    }

    private var connection: Connection { session.connection }
    private var recorder: RunRecorder { session.recorder }

    /// Drops what is replaced and creates the tables without their indexes and constraints, in the caller's transaction.
    ///
    /// - Throws: ``DatabudgieError`` that names the definition which failed; `PostgresError`.
    func createTables() async throws {
        // All of a dry run is rolled back, and no other session should wait for it for long.
        if session.settings.isDryRun { try await LockAttempts().limit(over: connection) }
        for relation in existing.replaced {
            recorder.found(.note("it exists, and is dropped and re-created", of: relation.name.label))
        }
        try await refuseNewRows()
        do {
            try await TableReplacement(connection: connection).drop(existing.replaced, existing.functions)
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw DatabudgieError(
                .preflight,
                "listed tables exist and cannot be replaced: \(ErrorText(error).message)",
                hint: "connect as their owner, or set 'ddl: false' for them",
                underlying: error
            )
        }
        try await create(definitions(.preData))
    }

    /// A table that was empty, and whose rows are not part of the restore, may have got some since.
    private func refuseNewRows() async throws {
        let rowless = existing.replaced.filter { stored.rowless.contains($0.name) && !$0.kind.isDerived }
        guard !rowless.isEmpty else { return }
        try await connection.execute(
            "lock table \(rowless.map(\.name.quoted).joined(separator: ", ")) in access exclusive mode"
        )
        try await ExistingTables.withRows(rowless, over: connection).map {
            Finding.problem(
                "another session has inserted rows, which are not part of this restore ('data: false')",
                of: $0.name.label,
                hint: "restore again"
            )
        }.throwProblems(.preflight)
    }

    /// Creates the tables in several transactions, when one would need too many locks.
    ///
    /// - Throws: As ``createTables()`` does; what was created before stays.
    func createTablesInBatches() async throws {
        for batch in definitions(.preData).batches(of: Self.batchSize) {
            try await session.withTransaction(.writing) { try await create(batch) }
        }
    }

    /// Creates indexes, constraints, triggers and the like, and fills materialized views, in the caller's transaction.
    ///
    /// - Parameter catalog: Has the tables.
    /// - Throws: ``DatabudgieError`` that names the definition which failed; `PostgresError`.
    func finish(in catalog: DatabaseCatalog) async throws {
        try await create(postData, builders: 1)
        let left = try await unvalidated(leftUnvalidated(in: catalog), in: catalog)
        if !left.isEmpty { try await create(left.map(\.check), builders: 1, settled: SettledDefinitions()) }
    }

    /// The foreign keys of tables that an earlier run under the same id has loaded: it may have added them without a look at the
    /// rows, and ended before it had one.
    ///
    /// - Parameter catalog: Has the tables.
    /// - Returns: All of them, valid or not.
    func leftUnvalidated(in catalog: DatabaseCatalog) -> [FinishingPlan.Validation] {
        guard !existing.done.isEmpty else { return [] }
        let relations = catalog.relationsByName
        return postData.filter { $0.definition.relation.map(existing.done.contains) == true }
            .compactMap { FinishingPlan.Validation($0, relations) }
    }

    /// Creates the same in transactions of their own, in which each definition fails alone.
    ///
    /// - Parameters:
    ///   - definitions: What is created; nil: all of it.
    ///   - mayExist: Some of it may exist already.
    /// - Returns: What could not be created.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func finishInBatches(_ definitions: [StoredDefinition]? = nil, mayExist: Bool = false) async throws -> [Failure] {
        var failures: [Failure] = []
        for batch in (definitions ?? postData).batches(of: Self.batchSize) {
            await FailPoint.reached(.definitionsUnfinished)
            failures += try await session.withTransaction(.writing) {
                report(try await run(batch, over: session, mayExist: mayExist, builders: 1))
            }
            await FailPoint.reached(.definitionsFinished)
        }
        return failures
    }

    /// Creates indexes and keys of new tables in a transaction of another member's.
    ///
    /// - Parameters:
    ///   - definitions: What is created.
    ///   - session: The member's.
    ///   - builders: How many members there are.
    /// - Returns: What could not be created, and what should be tried again when no other member is in the way.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func build(
        _ definitions: [StoredDefinition],
        over session: DatabaseSession,
        builders: Int
    ) async throws -> (failures: [Failure], repeated: [StoredDefinition]) {
        await FailPoint.reached(.definitionsUnfinished)
        var outcome = try await session.withTransaction(.writing) {
            try await run(definitions, over: session, builders: builders)
        }
        await FailPoint.reached(.definitionsFinished)
        let isTransient = { (error: PostgresError) in
            LockConflict(of: error) != nil || DefinitionRunner.absences.contains(error.sqlState ?? "")
        }
        let repeated = outcome.failures.filter { isTransient($0.error) }.map(\.definition)
        outcome.failures.removeAll { isTransient($0.error) }
        return (report(outcome), repeated)
    }

    /// Those of some foreign keys that were added and are not valid.
    ///
    /// - Parameters:
    ///   - validations: The keys.
    ///   - catalog: Has their tables.
    /// - Returns: Not those that could not be added, or were skipped.
    /// - Throws: `PostgresError`.
    func unvalidated(
        _ validations: [FinishingPlan.Validation],
        in catalog: DatabaseCatalog
    ) async throws -> [FinishingPlan.Validation] {
        guard !validations.isEmpty else { return [] }
        let query = """
            select conrelid::pg_catalog.oid as table, conname as name from pg_catalog.pg_constraint
            where contype operator(pg_catalog.=) 'f' and not convalidated and conrelid operator(pg_catalog.=) any ($1::pg_catalog.oid[])
            """
        let tables = catalog.relationsByName.mapValues(\.oid)
        let oids = validations.compactMap { tables[$0.key.referencing] }
        let rows = try await connection.query(query, [oids.arrayLiteral]).rows
        let present = Set(rows.map { [ByteKey($0["table"] ?? ""), ByteKey($0["name"] ?? "")] })
        return validations.filter { validation in
            let oid = tables[validation.key.referencing].map { String($0) } ?? ""
            return present.contains([ByteKey(oid), ByteKey(validation.key.name)])
        }
    }

    /// Validates a foreign key, or removes it when the rows violate it.
    ///
    /// - Parameters:
    ///   - validation: The key.
    ///   - session: Of the member that does it.
    /// - Returns: The failure of its definition.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func validate(_ validation: FinishingPlan.Validation, over session: DatabaseSession) async throws -> Failure? {
        try await session.withTransaction(.writing) {
            try await BuildSettings(session).raise()
            // What is done to a key that was there is not what added it.
            let outcome = try await run([validation.check], over: session, settled: SettledDefinitions())
            guard !outcome.failures.isEmpty else { return nil }
            let removal = try await run([validation.removal], over: session, settled: SettledDefinitions())
            return (report(outcome) + report(removal)).first
        }
    }

    private func create(
        _ definitions: [StoredDefinition],
        builders: Int? = nil,
        settled: SettledDefinitions? = nil
    ) async throws {
        let failures = report(try await run(definitions, over: session, builders: builders, settled: settled))
        guard failures.isEmpty else {
            throw DatabudgieError(
                .database,
                failures.withoutRepetitions.flatMap { failure in
                    failure.error.problems.map {
                        // What belongs to no schema, such as an extension, has no name here.
                        .problem($0.message, of: failure.table.isEmpty ? nil : failure.table, hint: $0.hint)
                    }
                },
                underlying: failures[0].error
            )
        }
    }

    /// With the settings that pg_dump's scripts begin with; the caller's search path comes back afterwards.
    ///
    /// `builders` says how many sessions build indexes and check keys now.
    private func run(
        _ definitions: [StoredDefinition],
        over session: DatabaseSession,
        mayExist: Bool = false,
        builders: Int? = nil,
        settled: SettledDefinitions? = nil
    ) async throws -> DefinitionRunner.Outcome {
        let connection = session.connection
        // Again before each run: files of other tools may change settings.
        try await connection.pinSessionSettings(.restore, overrides: ["check_function_bodies": "off"])
        if let builders { try await BuildSettings(connection: connection, sessions: builders).raise() }
        let role = session.settings.definitions.role
        return try await connection.withEmptySearchPath {
            try await connection.withRole(role) {
                try await DefinitionRunner(
                    connection: connection,
                    recorder: recorder,
                    mayExist: mayExist
                        ? existing.done.union(definitions.compactMap(\.definition.relation)) : existing.done,
                    settled: settled ?? self.settled,
                    ownSchema: ownSchema,
                    role: role
                ).run(definitions)
            }
        }
    }

    /// Reports warnings, and says what failed.
    private func report(_ outcome: DefinitionRunner.Outcome) -> [Failure] {
        for (warning, count) in outcome.warnings.sorted(by: { $0.key < $1.key }) {
            var finding = Finding.warning(count == 1 ? warning.string : "\(warning) (and \(count - 1) similar)")
            finding.concernsMissingRole = outcome.missingRoles.contains(warning)
            recorder.found(finding)
        }
        return outcome.failures.map { item, error in
            let definition = item.definition
            let text = ErrorText(error)
            return Failure(
                table: definition.relation?.label ?? definition.schema,
                error: DatabudgieError(
                    .database,
                    "the \(definition.type.lowercased()) in \(item.path) cannot be created: \(text.message)",
                    hint: text.hint,
                    underlying: error
                )
            )
        }
    }

    private func definitions(_ section: Definition.Section) -> [StoredDefinition] {
        stored.definitions.filter { item in
            guard item.definition.section == section, !isAttachedLate(item) else { return false }
            guard let relation = item.definition.relation, existing.kept.contains(relation) else { return true }
            return section == .postData && existing.done.contains(relation)
        }
    }

    /// What comes after the rows.
    ///
    /// Partitions whose root stays are attached when they have indexes of their own. Materialized views are filled late,
    /// because some need the key by which they group. Event triggers come last, because what follows would fire them.
    var postData: [StoredDefinition] {
        let attachments = stored.definitions.filter(isAttachedLate)
        let partitions = Set(attachments.compactMap { PartitionAttachment($0.definition)?.partition })
        // The server finds out which index of the root each one of the partition belongs to.
        var items = definitions(.postData).filter { item in
            item.definition.type != "INDEX ATTACH" || item.definition.relation.map(partitions.contains) != true
        }
        let last = items.lastIndex { ["INDEX", "CONSTRAINT", "INDEX ATTACH"].contains($0.definition.type) }
        items.insert(contentsOf: attachments, at: last.map { $0 + 1 } ?? 0)
        let triggers = Set(
            items.filter { $0.definition.type == "EVENT TRIGGER" }.map(DefinitionRunner.Place.init(subjectOf:))
        )
        let isOfTrigger = { (item: StoredDefinition) in triggers.contains(DefinitionRunner.Place(subjectOf: item)) }
        return items.filter { !isOfTrigger($0) } + refreshes + items.filter(isOfTrigger)
    }

    /// Whether a definition attaches a new partition to a table that stays as it is.
    private func isAttachedLate(_ item: StoredDefinition) -> Bool {
        guard let attachment = PartitionAttachment(item.definition) else { return false }
        return existing.kept.contains(attachment.root) && !existing.kept.contains(attachment.partition)
    }

    /// A definition of a materialized view leaves it empty.
    private var refreshes: [StoredDefinition] {
        (definitions(.preData) + definitions(.postData))
            .filter { $0.definition.type.utf8.starts(with: "MATERIALIZED".utf8) && $0.definition.isPopulated }
            .map { item in
                var definition = item.definition
                definition.type = "REFRESH"
                definition.sql = "refresh materialized view \(item.definition.relation?.quoted ?? "")"
                return StoredDefinition(definition: definition, path: item.path)
            }
    }
}
