import Postgres
import Storage

/// Makes the listed tables anew from their definitions: what rows need before they are loaded, the rest afterwards.
struct DefinitionInstaller {
    /// A definition that could not be made.
    struct Failure {
        /// The table's full name; a schema's for what belongs to no table.
        let table: String
        let error: DatabudgieError
    }

    private let session: DatabaseSession
    private let definitions: StoredDefinitions
    /// Listed tables and views that the target has already.
    private let replaced: [Relation]
    /// What is needed but not listed, and is there: it stays as it is.
    private let kept: Set<QualifiedName>
    /// What an earlier run under the same id has loaded, and what goes with that: only what comes after the rows may still
    /// be missing.
    private let done: Set<QualifiedName>
    /// Whether the tables can be made in one transaction: it needs locks for each of them.
    let fitsOneTransaction: Bool

    /// The schema that `clean` has made for the manifest.
    private let ownSchema: String?
    /// What is there already, from one batch to the next.
    private let settled = SettledDefinitions()

    /// Definitions in one transaction, where they need not be in one all together.
    private static let batchSize = 400

    /// Compares the definitions with the target, and changes nothing.
    ///
    /// - Parameters:
    ///   - definitions: What is to be made.
    ///   - session: The target.
    ///   - ownSchema: A schema that this run has made already.
    ///   - isDone: Whether an earlier run has loaded a table already.
    /// - Throws: ``DatabudgieError`` with the code `preflight` when something that is not listed depends on a table that
    ///   would be dropped, or when the server has too few locks; `PostgresError`.
    init(
        _ definitions: StoredDefinitions,
        session: DatabaseSession,
        ownSchema: String? = nil,
        isDone: (QualifiedName) -> Bool
    ) async throws {
        let connection = session.connection
        let (catalog, listed, findings) = try await session.withTransaction(.catalog) {
            let catalog = try await DatabaseCatalogReader(connection: connection).read()
            // The rows of a partition are restored with its root.
            let finished = catalog.relations.filter { isDone($0.name) }.flatMap { catalog.family(of: $0.oid) }
            let listed = Set(definitions.listed).subtracting(finished.compactMap { catalog[$0]?.name })
            let relations = catalog.relations.filter { listed.contains($0.name) }
            let replacement = TableReplacement(connection: connection)
            let problems = try await connection.withEmptySearchPath { try await replacement.problems(relations) }
            let names = Set(catalog.relations.map(\.name))
            let lost = definitions.listed.filter { isDone($0) && !names.contains($0) }.map {
                Finding.problem(
                    "it is recorded as restored under this id, but no longer exists",
                    of: $0.label,
                    hint: "begin a new restore, without --restore-id"
                )
            }
            return (catalog, listed, problems + lost + (try await replacement.publications(relations)))
        }
        try findings.throwProblems(.preflight)
        findings.forEach(session.recorder.found)
        self.session = session
        self.ownSchema = ownSchema
        self.definitions = definitions
        replaced = catalog.relations.filter { listed.contains($0.name) }
        let kept = Set(catalog.relations.map(\.name)).subtracting(listed)
        self.kept = kept
        done = Set(definitions.listed).intersection(kept)
        let isReplacement = !replaced.isEmpty
        let estimate = LockBudget.estimate(
            definitions.blocks.filter { stored in
                (isReplacement || stored.block.section == .preData)
                    && !(stored.block.relation.map(kept.contains) ?? false)
            },
            dropped: replaced.count
        )
        fitsOneTransaction = estimate <= (try await LockBudget(connection: connection).available)
        guard fitsOneTransaction || !isReplacement else {
            throw DatabudgieError(
                .preflight,
                "\(replaced.count) of the listed tables exist and would be replaced in one transaction, which needs about "
                    + "\(estimate) locks, more than the server has",
                hint: "raise max_locks_per_transaction, drop the tables first, or restore fewer of them at once"
            )
        }
    }

    /// Some of the tables exist: the old ones go and the new ones come with all their rows, or nothing changes.
    var isReplacement: Bool { !replaced.isEmpty }

    /// Tables and views that are there and are made anew.
    var replacedNames: Set<QualifiedName> { Set(replaced.map(\.name)) }

    /// The tables and views that are made.
    var names: [QualifiedName] { definitions.listed }

    /// Entries for the tables that are included by foreign keys.
    var included: [RestoreEntry] { definitions.included }

    private var connection: Connection { session.connection }
    private var recorder: RunRecorder { session.recorder }

    /// Drops what is replaced and makes the tables without their indexes and constraints, in the caller's transaction.
    ///
    /// - Throws: ``DatabudgieError`` that names the definition which failed; `PostgresError`.
    func makeTables() async throws {
        // All of a dry run is rolled back, and no other session should wait for it for long.
        if session.settings.isDryRun { try await connection.execute("set local lock_timeout = '10s'") }
        for relation in replaced {
            recorder.found(.note("it exists, and is dropped and re-created", of: relation.name.label))
        }
        do {
            try await TableReplacement(connection: connection).drop(replaced)
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw DatabudgieError(
                .preflight,
                "listed tables exist and cannot be replaced: \(ErrorText(error).message)",
                hint: "connect as their owner, or set 'ddl: false' for them",
                underlying: error
            )
        }
        try await make(blocks(.preData))
    }

    /// Makes the tables in several transactions, where one has not enough locks for all of them.
    ///
    /// - Throws: As ``makeTables()`` does; what was created before stays.
    func makeTablesInBatches() async throws {
        for batch in blocks(.preData).batches(of: Self.batchSize) {
            try await session.withTransaction(.writing) { try await make(batch) }
        }
    }

    /// Makes indexes, constraints, triggers and the like, and fills materialized views, in the caller's transaction.
    ///
    /// - Throws: ``DatabudgieError`` that names the definition which failed; `PostgresError`.
    func finish() async throws {
        try await make(lateBlocks)
    }

    /// Makes the same in transactions of their own, in which each definition fails alone.
    ///
    /// - Returns: What could not be made.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func finishInBatches() async throws -> [Failure] {
        var failures: [Failure] = []
        for batch in lateBlocks.batches(of: Self.batchSize) {
            failures += try await session.withTransaction(.writing) { try await run(batch) }
        }
        return failures
    }

    private func make(_ blocks: [StoredDefinition]) async throws {
        let failures = try await run(blocks)
        guard failures.isEmpty else {
            throw DatabudgieError(
                .database,
                failures.flatMap { failure in
                    failure.error.problems.map { .problem($0.message, of: failure.table, hint: $0.hint) }
                },
                underlying: failures[0].error
            )
        }
    }

    /// With the settings that pg_dump's scripts begin with; the caller's search path comes back afterwards.
    private func run(_ blocks: [StoredDefinition]) async throws -> [Failure] {
        try await connection.execute("set local check_function_bodies = off")
        let outcome = try await connection.withEmptySearchPath {
            try await DefinitionRunner(
                connection: connection,
                recorder: recorder,
                mayExist: done,
                settled: settled,
                ownSchema: ownSchema
            ).run(blocks)
        }
        for (warning, count) in outcome.warnings.sorted(by: { $0.key < $1.key }) {
            recorder.found(.warning(count == 1 ? warning.string : "\(warning) (and \(count - 1) similar)"))
        }
        return outcome.failures.map { stored, error in
            let block = stored.block
            return Failure(
                table: block.relation?.label ?? block.schema,
                error: DatabudgieError(
                    .database,
                    "the \(block.type.lowercased()) in \(stored.path) cannot be created: \(ErrorText(error).message)",
                    underlying: error
                )
            )
        }
    }

    private func blocks(_ section: Definition.Section) -> [StoredDefinition] {
        definitions.blocks.filter { stored in
            guard stored.block.section == section else { return false }
            guard let relation = stored.block.relation, kept.contains(relation) else { return true }
            return section == .postData && done.contains(relation)
        }
    }

    /// Materialized views are filled last, as some are made only when the key is there by which they group.
    private var lateBlocks: [StoredDefinition] { blocks(.postData) + refreshes }

    /// A definition of a materialized view leaves it empty.
    private var refreshes: [StoredDefinition] {
        (blocks(.preData) + blocks(.postData)).filter { $0.block.type.hasPrefix("MATERIALIZED") }.map { stored in
            var block = stored.block
            block.type = "REFRESH"
            block.sql = "refresh materialized view \(stored.block.relation?.quoted ?? "")"
            return StoredDefinition(block: block, path: stored.path)
        }
    }
}
