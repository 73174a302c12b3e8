import Postgres
import Storage
import Synchronization

/// Runs definitions within the caller's transaction, many of them in one text; each of them fails alone.
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

    /// Runs all definitions; those that miss something are tried again after the others.
    ///
    /// - Parameter definitions: In their order.
    /// - Returns: Failures and warnings.
    /// - Throws: `PostgresError` when the connection was lost or the task cancelled. Each definition that failed is rolled back
    ///   alone.
    func run(_ definitions: [StoredDefinition]) async throws -> Outcome {
        var state = State(new: try await NewObjects(connection: connection))
        let batch = DefinitionBatch(connection: connection, role: role)
        try await batch.begin()
        var pending = definitions
        while !pending.isEmpty {
            state.missing = []
            var rest = pending[...]
            while !rest.isEmpty {
                try await run(try await nextItems(&rest, batch, &state), batch, &state)
            }
            guard state.missing.count < pending.count else {
                for (stored, error) in state.missing { giveUp(stored, error, &state.outcome) }
                break
            }
            pending = state.missing.map(\.definition)
        }
        try await state.new.reset()
        try await batch.end()
        return state.outcome
    }

    /// What is known while definitions are run.
    private struct State {
        var outcome = Outcome()
        var new: NewObjects
        /// What has to be tried again.
        var missing: [(definition: StoredDefinition, error: PostgresError)] = []
        /// The names of all roles, once they are needed.
        var roles: Set<ByteKey>?
    }

    /// A definition, as it is run.
    private struct Item {
        let subject: StoredDefinition
        /// Cut into what may fail alone.
        let pieces: [String]
        /// A piece that a role is missing for costs only that piece.
        let isForRole: Bool
        /// What it does is not known.
        let isAlone: Bool
        var refused: [ByteKey] = []
        var missingRoles: Set<ByteKey> = []
    }

    /// The next definitions that can be run in one text; none when all that are left are skipped.
    private func nextItems(
        _ rest: inout ArraySlice<StoredDefinition>,
        _ batch: DefinitionBatch,
        _ state: inout State
    ) async throws -> [Item] {
        var items: [Item] = []
        var size = 0
        while let stored = rest.first {
            let definition = stored.definition
            guard !settled.contains(Place(subjectOf: stored)) else {
                rest.removeFirst()
                continue
            }
            let isAlone = !DefinitionBatch.mayHold(definition)
            size += definition.sql.utf8.count
            if !items.isEmpty {
                let isFull = items.count == DefinitionBatch.limit || size > DefinitionBatch.sizeLimit
                if isFull || isAlone || asks(before: definition, after: items, state) { break }
            }
            rest.removeFirst()
            if state.new.hasWork(before: definition, after: []) {
                try await state.new.prepare(for: definition)
                await batch.keep()
            }
            if let item = try await item(stored, isAlone: isAlone, &state) { items.append(item) }
            if isAlone || definition.type == "DEFAULT ACL" { break }
        }
        return items
    }

    /// Whether something has to be found out before a definition is run, and after those that come before it.
    private func asks(before definition: Definition, after items: [Item], _ state: State) -> Bool {
        PublicSchema.isSubject(of: definition)
            || state.new.hasWork(before: definition, after: items.lazy.map(\.subject.definition))
    }

    /// How a definition is run; nil when it is skipped.
    private func item(_ stored: StoredDefinition, isAlone: Bool, _ state: inout State) async throws -> Item? {
        let definition = stored.definition
        if PublicSchema.isSubject(of: definition),
            try await !PublicSchema(connection: connection).isUntouched(by: definition)
        {
            recorder.found(.note("the schema public has a comment or privileges of its own; it keeps them"))
            return nil
        }
        var pieces = [sql(definition)]
        let isForRole = Self.isForRole(definition)
        if isForRole {
            pieces = RoleStatements.pieces(of: definition.sql)
        } else if definition.type == "POLICY", let policy = PolicyRoles(definition.sql) {
            guard let sql = try await sql(of: policy, stored, &state) else { return nil }
            pieces = [sql]
        }
        return Item(subject: stored, pieces: pieces, isForRole: isForRole, isAlone: isAlone)
    }

    /// Runs definitions, as many in one text as there are.
    private func run(_ items: [Item], _ batch: DefinitionBatch, _ state: inout State) async throws {
        var items = items
        var steps = items.enumerated().flatMap { index, item in
            item.pieces.indices.map { (item: index, piece: $0) }
        }[...]
        var width = steps.count
        while !steps.isEmpty {
            let tried = steps.prefix(width)
            let (count, error) = try await batch.run(tried.map { items[$0.item].pieces[$0.piece] })
            for step in steps.prefix(count) where step.piece == items[step.item].pieces.count - 1 {
                finish(items[step.item], &state)
            }
            steps = steps.dropFirst(count)
            guard let error else {
                width = steps.count
                continue
            }
            if error.isOfText, tried.count > 1 {
                // One of them cannot be parsed, so none was run.
                width = (tried.count + 1) / 2
                continue
            }
            guard let step = steps.popFirst() else { continue }
            if try failed(step, error.cause, &items, &state) {
                steps = steps.drop { $0.item == step.item }
            } else if steps.first?.item != step.item {
                finish(items[step.item], &state)
            }
            // What follows something that was skipped is skipped, too.
            steps =
                steps.filter { $0.item == step.item || !settled.contains(Place(subjectOf: items[$0.item].subject)) }[
                    ...
                ]
            width = min(max(width, 1), steps.count)
        }
    }

    /// Adds a definition that was run.
    private func finish(_ item: Item, _ state: inout State) {
        for warning in item.refused { state.outcome.warnings[warning, default: 0] += 1 }
        state.outcome.missingRoles.formUnion(item.missingRoles)
        state.new.add(item.subject.definition)
        // It may have created some.
        if item.isAlone { state.roles = nil }
    }

    /// Finds out what becomes of a definition, of which a piece was refused.
    ///
    /// - Returns: Whether the definition is over; if it is not, it counts as run without this piece.
    private func failed(
        _ step: (item: Int, piece: Int),
        _ error: PostgresError,
        _ items: inout [Item],
        _ state: inout State
    ) throws -> Bool {
        let stored = items[step.item].subject
        if items[step.item].isForRole {
            // SET SESSION AUTHORIZATION calls a role that is missing an invalid value.
            if ["42704", "42501", "22023"].contains(error.sqlState) {
                let warning = ByteKey("an owner or a privilege could not be set: \(error.message)")
                items[step.item].refused.append(warning)
                if error.sqlState != "42501" { items[step.item].missingRoles.insert(warning) }
                return false
            }
            // All of its pieces again, which changes nothing that was done.
            refuse(stored, error, &state)
            return true
        }
        if error.sqlState == "42P06", stored.definition.type == "SCHEMA", let ownSchema,
            isDefinition(stored.definition, of: ownSchema)
        {
            return false
        }
        if !isAccepted(error, of: stored, &state.outcome) { refuse(stored, error, &state) }
        return true
    }

    /// Tries a definition again later, or reports it.
    private func refuse(_ stored: StoredDefinition, _ error: PostgresError, _ state: inout State) {
        if Self.absences.contains(error.sqlState ?? "") {
            state.missing.append((stored, error))
        } else if stored.definition.isOptional {
            giveUp(stored, error, &state.outcome)
        } else {
            state.outcome.failures.append((stored, error))
        }
    }

    /// Whether an error says that something exists already, or cannot exist on this server.
    private func isAccepted(_ error: PostgresError, of stored: StoredDefinition, _ outcome: inout Outcome) -> Bool {
        let (definition, state) = (stored.definition, error.sqlState ?? "")
        if definition.relation.map(mayExist.contains) ?? true, Self.duplicates.contains(state) {
            settled.insert(Place(subjectOf: stored))
            recorder.found(.note("\(error.message); it stays as it is"))
            return true
        }
        guard definition.type == "SECURITY LABEL", state == "22023" else { return false }
        // SECURITY LABEL FOR provider ON …
        let tokens = SQLStatements.tokens(definition.sql.utf8)
        let provider = tokens.dropFirst(3).first.flatMap(SQLStatements.identifier) ?? []
        let name = String(decoding: provider, as: UTF8.self)
        outcome.warnings[
            ByteKey("a security label could not be set, because its provider \(name) is not a module of the server"),
            default: 0
        ] += 1
        return true
    }

    /// The policy for those of its roles that exist; nil when it has none, and so concerns nobody here.
    private func sql(
        of policy: PolicyRoles,
        _ stored: StoredDefinition,
        _ state: inout State
    ) async throws -> String? {
        let roles = try await roles(&state)
        let missing = policy.missing(in: roles)
        guard !missing.isEmpty else { return stored.definition.sql }
        let table = stored.definition.relation?.label ?? stored.definition.schema
        guard let sql = policy.sql(for: roles) else {
            let names = missing.joined(separator: ", ")
            state.outcome.addMissingRole("a policy of \(table) is skipped: none of its roles exists (\(names))")
            settled.insert(Place(subjectOf: stored))
            return nil
        }
        for role in missing {
            state.outcome.addMissingRole("a policy of \(table) is created without the missing role \(role)")
        }
        return sql
    }

    private func roles(_ state: inout State) async throws -> Set<ByteKey> {
        if let roles = state.roles { return roles }
        let rows = try await connection.query("select rolname from pg_catalog.pg_roles").rows
        let roles = Set(rows.compactMap { $0["rolname"].map { ByteKey($0) } })
        state.roles = roles
        return roles
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
