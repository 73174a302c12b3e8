import Postgres

/// A trigger that a user has created on a target table, and that is not disabled.
struct TargetTrigger: Sendable {
    /// `pg_trigger.tgenabled`: the sessions in which it fires (PostgreSQL documentation, "ALTER TABLE").
    enum Firing: String, Sendable {
        case origin = "O"
        case always = "A"
        case replica = "R"

        /// What ALTER TABLE calls it.
        var clause: String {
            switch self {
            case .origin: "enable trigger"
            case .always: "enable always trigger"
            case .replica: "enable replica trigger"
            }
        }
    }

    let table: Relation
    let name: String
    let firing: Firing
    let firesOnInsert: Bool
    let firesOnUpdate: Bool
    let firesOnTruncate: Bool
    /// It runs before a row is inserted, and can drop it.
    let mayDropRows: Bool
    /// Whether it fires in this session, which `session_replication_role` decides.
    let isActive: Bool

    /// Disables it, and nothing else: not the same trigger of partitions, nor those of foreign keys.
    func disabling(on server: ServerInfo) -> String { alteration("disable trigger", server) }

    /// Puts it back exactly as it was.
    func restoring(on server: ServerInfo) -> String { alteration(firing.clause, server) }

    private func alteration(_ clause: String, _ server: ServerInfo) -> String {
        // Before 15, triggers of partitions are internal, and are altered with their root's only.
        let only = server.majorVersion < 15 && table.kind == .partitionedTable ? "" : "only "
        return "alter table \(only)\(table.name.quoted) \(clause) \(quotedIdentifier(name))"
    }
}

extension TargetTrigger: Hashable {
    static func == (left: TargetTrigger, right: TargetTrigger) -> Bool { left.key == right.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    private var key: [ByteKey] { [ByteKey(String(table.oid)), ByteKey(name)] }
}
