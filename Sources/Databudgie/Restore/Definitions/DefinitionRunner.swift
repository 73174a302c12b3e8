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
    /// The role that runs every definition (`ddl.run_as`); nil: the session's own.
    var role: String?

    /// What a run of definitions could not do, and what it skipped.
    struct Outcome {
        /// Definitions that failed, with the server's words.
        var failures: [(definition: StoredDefinition, error: PostgresError)] = []
        /// Sentences, with how many definitions they were for.
        var warnings: [ByteKey: Int] = [:]
        /// Those of them that are about roles which do not exist.
        var missingRoles: Set<ByteKey> = []

        mutating func addMissingRole(_ warning: String) {
            warnings[ByteKey(warning), default: 0] += 1
            missingRoles.insert(ByteKey(warning))
        }
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
        var new = try await NewObjects(connection: connection)
        var pending = definitions
        while !pending.isEmpty {
            var missing: [(StoredDefinition, PostgresError)] = []
            for stored in pending where !settled.contains(Place(subjectOf: stored)) {
                try await new.prepare(for: stored.definition)
                switch try await run(stored, &outcome) {
                case .done: new.add(stored.definition)
                case .skipped: continue
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
        try await new.reset()
        return outcome
    }

    private func run(_ stored: StoredDefinition, _ outcome: inout Outcome) async throws -> Result {
        let definition = stored.definition
        if PublicSchema.isSubject(of: definition),
            try await !PublicSchema(connection: connection).isUntouched(by: definition)
        {
            recorder.found(.note("the schema public has a comment or privileges of its own; it keeps them"))
            return .skipped
        }
        if Self.isForRole(definition) { return try await runPieces(stored, &outcome) }
        if definition.type == "POLICY", let policy = PolicyRoles(definition.sql) {
            guard let sql = try await sql(of: policy, stored, &outcome) else { return .skipped }
            return try await run(sql, of: stored, &outcome)
        }
        return try await run(sql(definition), of: stored, &outcome)
    }

    private func run(_ sql: String, of stored: StoredDefinition, _ outcome: inout Outcome) async throws -> Result {
        guard let error = try await attempt(sql) else { return .done }
        let (definition, state) = (stored.definition, error.sqlState ?? "")
        if definition.type == "SCHEMA", state == "42P06", let ownSchema, isDefinition(definition, of: ownSchema) {
            return .done
        }
        if definition.relation.map(mayExist.contains) ?? true, Self.duplicates.contains(state) {
            settled.insert(Place(subjectOf: stored))
            recorder.found(.note("\(error.message); it stays as it is"))
            return .skipped
        }
        if definition.type == "SECURITY LABEL", state == "22023" {
            // SECURITY LABEL FOR provider ON …
            let tokens = SQLStatements.tokens(definition.sql.utf8)
            let provider = tokens.dropFirst(3).first.flatMap(SQLStatements.identifier) ?? []
            let name = String(decoding: provider, as: UTF8.self)
            outcome.warnings[
                ByteKey(
                    "a security label could not be set, because its provider \(name) is not a module of the server"
                ),
                default: 0
            ] += 1
            return .skipped
        }
        if Self.absences.contains(state) { return .retry(error) }
        if definition.isOptional {
            giveUp(stored, error, &outcome)
            return .skipped
        }
        return .failed(error)
    }

    /// Runs each statement about roles for itself, so a role that is missing keeps nothing else from being granted or revoked.
    private func runPieces(_ stored: StoredDefinition, _ outcome: inout Outcome) async throws -> Result {
        var refused: [ByteKey] = []
        var missing: Set<ByteKey> = []
        for piece in RoleStatements.pieces(of: stored.definition.sql) {
            guard let error = try await attempt(piece) else { continue }
            // SET SESSION AUTHORIZATION calls a role that is missing an invalid value.
            if ["42704", "42501", "22023"].contains(error.sqlState) {
                refused.append(ByteKey("an owner or a privilege could not be set: \(error.message)"))
                if error.sqlState != "42501", let warning = refused.last { missing.insert(warning) }
            } else if Self.absences.contains(error.sqlState ?? "") {
                // All of them again, which changes nothing that was done.
                return .retry(error)
            } else if stored.definition.isOptional {
                giveUp(stored, error, &outcome)
                return .skipped
            } else {
                return .failed(error)
            }
        }
        for warning in refused { outcome.warnings[warning, default: 0] += 1 }
        outcome.missingRoles.formUnion(missing)
        return .done
    }

    /// The policy for those of its roles that exist; nil when it has none, and so concerns nobody here.
    private func sql(
        of policy: PolicyRoles,
        _ stored: StoredDefinition,
        _ outcome: inout Outcome
    ) async throws -> String? {
        let rows = try await connection.query("select rolname from pg_catalog.pg_roles").rows
        let roles = Set(rows.compactMap { $0["rolname"].map { ByteKey($0) } })
        let missing = policy.missing(in: roles)
        guard !missing.isEmpty else { return stored.definition.sql }
        let table = stored.definition.relation?.label ?? stored.definition.schema
        guard let sql = policy.sql(for: roles) else {
            let names = missing.joined(separator: ", ")
            outcome.addMissingRole("a policy of \(table) is skipped: none of its roles exists (\(names))")
            settled.insert(Place(subjectOf: stored))
            return nil
        }
        for role in missing {
            outcome.addMissingRole("a policy of \(table) is created without the missing role \(role)")
        }
        return sql
    }

    /// Runs SQL within a savepoint.
    ///
    /// - Returns: Why the server refused it; nil when it was run.
    /// - Throws: `PostgresError` when the connection was lost; ``DatabudgieError`` when the server has no room for locks.
    private func attempt(_ sql: String) async throws -> PostgresError? {
        do {
            // Apart from the definition: the server parses the whole text, so a syntax error would undo the savepoint too.
            try await connection.execute(
                "savepoint definition\(role.map { "; set local role \(quotedIdentifier($0))" } ?? "")"
            )
            try await connection.execute("\(sql)\n;release savepoint definition")
            return nil
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
            return error
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
        guard ["SCHEMA", "EXTENSION", "SERVER"].contains(definition.type), definition.sql.utf8.starts(with: prefix)
        else {
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
    static let absences: Set = ["42P01", "42704", "42883", "3F000"]
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
