import Postgres
import Storage

/// Runs definitions one by one within the caller's transaction.
struct BlockRunner {
    let connection: Connection
    let recorder: RunRecorder

    /// What a run of definitions could not do, and what it left out.
    struct Outcome {
        /// Definitions that failed, with the server's words.
        var failures: [(block: StoredBlock, error: PostgresError)] = []
        /// Things that are there already: what follows them in their file, such as an owner, is left out too.
        var existing: Set<Place> = []
        /// Sentences, with how many definitions they were for.
        var warnings: [String: Int] = [:]
    }

    /// A definition's place: orders of two backups have nothing to do with one another.
    struct Place: Hashable {
        let path: StoragePath
        let order: Int
    }

    private enum Result {
        case done, leftOut, retry(PostgresError), failed(PostgresError)
    }

    /// Runs all definitions; those that miss something are tried again when the others are there.
    ///
    /// - Parameter blocks: In their order.
    /// - Returns: What came of them.
    /// - Throws: `PostgresError` when the connection was lost or the task cancelled. Each definition that failed is rolled back
    ///   alone.
    func run(_ blocks: [StoredBlock]) async throws -> Outcome {
        var outcome = Outcome()
        var pending = blocks
        while !pending.isEmpty {
            var missing: [(StoredBlock, PostgresError)] = []
            for stored in pending {
                switch try await run(stored, &outcome) {
                case .done, .leftOut: continue
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

    private func run(_ stored: StoredBlock, _ outcome: inout Outcome) async throws -> Result {
        let block = stored.block
        let subject = Place(path: stored.path, order: block.attachedTo ?? block.order)
        guard !outcome.existing.contains(subject) else { return .leftOut }
        do {
            try await connection.execute("savepoint definition;\n\(sql(block))\n;release savepoint definition")
            return .done
        } catch {
            guard error.code == .serverError, let state = error.sqlState else { throw error }
            try await connection.execute("rollback to savepoint definition; release savepoint definition")
            if block.table == nil, Self.duplicates.contains(state) {
                outcome.existing.insert(subject)
                recorder.detail("\(error.message); it stays as it is.")
                return .leftOut
            }
            if Self.isForRole(block), ["42704", "42501"].contains(state) {
                outcome.warnings["An owner or a right could not be set: \(error.message)", default: 0] += 1
                return .leftOut
            }
            if Self.absences.contains(state) { return .retry(error) }
            if block.isOptional {
                giveUp(stored, error, &outcome)
                return .leftOut
            }
            return .failed(error)
        }
    }

    private func giveUp(_ stored: StoredBlock, _ error: PostgresError, _ outcome: inout Outcome) {
        let block = stored.block
        if block.isOptional {
            outcome.warnings["Left out, as no table needs it (\(stored.path)): \(error.message)", default: 0] += 1
        } else if block.type == "FK CONSTRAINT", error.sqlState == "42P01" {
            outcome.warnings[
                "A foreign key of \(block.relation?.description ?? block.schema) is left out: \(error.message)",
                default: 0
            ] += 1
        } else {
            outcome.failures.append((stored, error))
        }
    }

    /// An existing schema must be noticed, so that its owner stays.
    private func sql(_ block: DDLBlock) -> String {
        let prefix = "CREATE SCHEMA IF NOT EXISTS "
        return block.type == "SCHEMA" && block.sql.hasPrefix(prefix)
            ? "CREATE SCHEMA " + block.sql.dropFirst(prefix.count) : block.sql
    }

    /// Roles are no part of a database, so that they may be missing here.
    private static func isForRole(_ block: DDLBlock) -> Bool {
        ["OWNER", "ACL", "DEFAULT ACL"].contains(block.type)
            || block.type == "COMMENT" && block.sql.hasPrefix("COMMENT ON EXTENSION")
    }

    /// duplicate_schema, duplicate_object, duplicate_function, duplicate_table.
    private static let duplicates: Set = ["42P06", "42710", "42723", "42P07"]
    /// undefined_table, undefined_object, undefined_function, invalid_schema_name.
    private static let absences: Set = ["42P01", "42704", "42883", "3F000"]
}
