import Postgres
import Storage
import Synchronization

/// Runs definitions one by one within the caller's transaction.
struct DefinitionRunner {
    let connection: Connection
    let recorder: RunRecorder
    /// Tables whose definitions may exist already, from an earlier run.
    var mayExist: Set<QualifiedName> = []
    let settled: SettledDefinitions
    /// A schema that this run has created already, which is as good as created from its definition.
    var ownSchema: String?

    /// What a run of definitions could not do, and what it skipped.
    struct Outcome {
        /// Definitions that failed, with the server's words.
        var failures: [(definition: StoredDefinition, error: PostgresError)] = []
        /// Sentences, with how many definitions they were for.
        var warnings: [ByteKey: Int] = [:]
    }

    /// A definition's place: the orders of two backups are unrelated.
    struct Place: Hashable {
        let path: StoragePath
        let order: Int

        /// The definition itself, or the one that a comment or a privilege is for.
        init(subjectOf stored: StoredDefinition) {
            path = stored.path
            order = stored.definition.attachedTo ?? stored.definition.order
        }
    }

    private enum Result {
        case done, skipped, retry(PostgresError), failed(PostgresError)
    }

    /// Runs all definitions; those that miss something are tried again after the others.
    ///
    /// - Parameter definitions: In their order.
    /// - Returns: Failures and warnings.
    /// - Throws: `PostgresError` when the connection was lost or the task cancelled. Each definition that failed is rolled back
    ///   alone.
    func run(_ definitions: [StoredDefinition]) async throws -> Outcome {
        var outcome = Outcome()
        var pending = definitions
        while !pending.isEmpty {
            var missing: [(StoredDefinition, PostgresError)] = []
            for stored in pending {
                switch try await run(stored, &outcome) {
                case .done, .skipped: continue
                case .retry(let error): missing.append((stored, error))
                case .failed(let error): outcome.failures.append((stored, error))
                }
            }
            guard missing.count < pending.count else {
                for (stored, error) in missing { giveUp(stored, error, &outcome) }
                break
            }
            pending = missing.map(\.0)
        }
        return outcome
    }

    private func run(_ stored: StoredDefinition, _ outcome: inout Outcome) async throws -> Result {
        let definition = stored.definition
        let subject = Place(subjectOf: stored)
        guard !settled.contains(subject) else { return .skipped }
        do {
            // Apart from the definition: the server parses the whole text, so a syntax error would undo the savepoint too.
            try await connection.execute("savepoint definition")
            try await connection.execute("\(sql(definition))\n;release savepoint definition")
            return .done
        } catch {
            guard error.code == .serverError, let state = error.sqlState else { throw error }
            guard state != "53200" else {
                throw DatabudgieError(
                    .database,
                    "the server has no room for the locks of all these tables in one transaction: \(error.message)",
                    hint: "raise max_locks_per_transaction, or restore fewer tables at once",
                    underlying: error
                )
            }
            try await connection.execute("rollback to savepoint definition; release savepoint definition")
            if definition.type == "SCHEMA", state == "42P06", let ownSchema, isDefinition(definition, of: ownSchema) {
                return .done
            }
            if definition.relation.map(mayExist.contains) ?? true, Self.duplicates.contains(state) {
                settled.insert(subject)
                recorder.found(.note("\(error.message); it stays as it is"))
                return .skipped
            }
            if Self.isForRole(definition), ["42704", "42501"].contains(state) {
                outcome.warnings[ByteKey("an owner or a privilege could not be set: \(error.message)"), default: 0] += 1
                return .skipped
            }
            if Self.absences.contains(state) { return .retry(error) }
            if definition.isOptional {
                giveUp(stored, error, &outcome)
                return .skipped
            }
            return .failed(error)
        }
    }

    private func giveUp(_ stored: StoredDefinition, _ error: PostgresError, _ outcome: inout Outcome) {
        let definition = stored.definition
        guard !settled.contains(Place(subjectOf: stored)) else { return }
        let table = definition.relation?.label ?? definition.schema
        let warning: String? =
            switch (definition.type, error.sqlState) {
            case _ where definition.isOptional: "skipped, because no table needs it (\(stored.path)): \(error.message)"
            case ("FK CONSTRAINT", "42P01"), ("FK CONSTRAINT", "3F000"):
                "a foreign key of \(table) is skipped: \(error.message)"
            case ("POLICY", "42704"): "a policy of \(table) is skipped: \(error.message)"
            default: nil
            }
        guard let warning else { return outcome.failures.append((stored, error)) }
        outcome.warnings[ByteKey(warning), default: 0] += 1
        settled.insert(Place(subjectOf: stored))
    }

    private func isDefinition(_ definition: Definition, of schema: String) -> Bool {
        [schema, quotedIdentifier(schema)].contains { sql(definition).utf8.elementsEqual("CREATE SCHEMA \($0);".utf8) }
    }

    /// What exists must be noticed, so its owner and comment stay.
    private func sql(_ definition: Definition) -> String {
        let prefix = "CREATE \(definition.type) IF NOT EXISTS ".utf8
        guard ["SCHEMA", "EXTENSION"].contains(definition.type), definition.sql.utf8.starts(with: prefix) else {
            return definition.sql
        }
        return "CREATE \(definition.type) "
            + String(decoding: definition.sql.utf8.dropFirst(prefix.count), as: UTF8.self)
    }

    /// Roles are not part of a database, so they may be missing here.
    private static func isForRole(_ definition: Definition) -> Bool {
        ["OWNER", "ACL", "DEFAULT ACL"].contains(definition.type)
            || definition.type == "COMMENT" && definition.sql.utf8.starts(with: "COMMENT ON EXTENSION ".utf8)
    }

    /// duplicate_schema, duplicate_object, duplicate_function, duplicate_table; a second primary key is an
    /// invalid_table_definition.
    private static let duplicates: Set = ["42P06", "42710", "42723", "42P07", "42P16"]
    /// undefined_table, undefined_object, undefined_function, invalid_schema_name.
    private static let absences: Set = ["42P01", "42704", "42883", "3F000"]
}

/// What exists already or was skipped: what follows it in its file, such as an owner or a privilege, is skipped too, in
/// whatever batch it comes.
final class SettledDefinitions: Sendable {
    private let places = Mutex<Set<DefinitionRunner.Place>>([])

    func contains(_ place: DefinitionRunner.Place) -> Bool {
        places.withLock { $0.contains(place) }
    }

    func insert(_ place: DefinitionRunner.Place) {
        places.withLock { _ = $0.insert(place) }
    }
}
