import Postgres

/// An index of a table, with the unique key or exclusion constraint that it is the index of.
struct TableIndex: Sendable {
    /// What it enforces.
    struct Constraint: Sendable {
        /// `pg_constraint.contype`.
        enum Kind: String, Sendable {
            case primaryKey = "p"
            case unique = "u"
            case exclusion = "x"
        }

        let kind: Kind
        /// As ALTER TABLE … ADD CONSTRAINT takes it.
        let definition: String
        /// It can be checked at the end of a transaction; nil when it cannot.
        let deferral: String?
        /// It brings its index, and is not made of one: an exclusion constraint, a key WITHOUT OVERLAPS, or a primary key of columns
        /// that have inherited NOT NULL.
        let excludes: Bool
        let comment: String?
    }

    /// Why it is not dropped, because it would not come back as it was.
    enum Obstacle: String, Sendable {
        case invalid
        case partitioned
        case foreignPartition = "foreign"
        case dependents
        case extensionMember = "extension"
        case functions
        case parameters
        case privileges

        /// The reason, after "because".
        var reason: String {
            switch self {
            case .invalid: "it is not valid"
            case .partitioned: "it is that of a key of a partitioned table"
            case .foreignPartition: "a foreign table is a partition of its table"
            case .dependents: "a view, rule or function depends on it"
            case .extensionMember: "it belongs to an extension"
            case .functions: "it calls functions that may depend on the search path"
            case .parameters: "its storage parameters could not be set again"
            case .privileges: "the role lacks CREATE on its schema or tablespace"
            }
        }
    }

    let oid: UInt32
    let table: Relation.OID
    let name: QualifiedName
    /// As `pg_get_indexdef` has it.
    let definition: String
    let constraint: Constraint?
    let isUnique: Bool
    /// It has no rows of its own, but parts in the partitions of its table.
    let isPartitioned: Bool
    /// The index of the partitioned table that this one is a part of.
    let parent: UInt32?
    /// How many parts it has.
    let parts: Int
    /// Nil: that of the database.
    let tablespace: String?
    let comment: String?
    /// The table is clustered by it.
    let isClustered: Bool
    /// It is the replica identity of the table.
    let isIdentity: Bool
    /// The number of a column, and its statistics target.
    let statistics: [(column: Int, target: Int)]
    /// The foreign keys that need it.
    let foreignKeys: [UInt32]
    let obstacle: Obstacle?

    /// Drops it, with all of its parts.
    func dropping(from table: Relation) -> String {
        constraint == nil
            ? "drop index \(name.quoted)"
            : "alter table only \(table.name.quoted) drop constraint \(quotedIdentifier(name.name))"
    }

    /// Builds the index, in its tablespace; nothing when only the constraint can, or when there is nothing to build.
    var building: [String] { constraint?.excludes == true || isPartitioned ? [] : [inTablespace, definition] }

    /// Makes it a part of another index again.
    func attaching(to parent: TableIndex) -> String {
        "alter index \(parent.name.quoted) attach partition \(name.quoted)"
    }

    /// Makes it what it was beyond that: the constraint, and what the table uses it for.
    ///
    /// - Parameter table: Its table.
    /// - Returns: Statements, which need a table without checks that are pending.
    func finishing(on table: Relation) -> [String] {
        let (index, target) = (quotedIdentifier(name.name), "alter table only \(table.name.quoted)")
        // Its definition says ONLY: the parts are attached afterwards.
        var statements = isPartitioned ? [inTablespace, definition] : []
        if let constraint {
            if constraint.excludes {
                statements += [inTablespace, "\(target) add constraint \(index) \(constraint.definition)"]
            } else {
                let kind = constraint.kind == .primaryKey ? "primary key" : "unique"
                statements.append(
                    "\(target) add constraint \(index) \(kind) using index \(index)"
                        + (constraint.deferral.map { " " + $0 } ?? "")
                )
            }
            if let comment = constraint.comment {
                statements.append(
                    "comment on constraint \(index) on \(table.name.quoted) is \(quotedLiteral(comment))"
                )
            }
        }
        if let comment { statements.append("comment on index \(name.quoted) is \(quotedLiteral(comment))") }
        statements += statistics.map {
            "alter index \(name.quoted) alter column \($0.column) set statistics \($0.target)"
        }
        if isClustered { statements.append("alter table \(table.name.quoted) cluster on \(index)") }
        if isIdentity { statements.append("\(target) replica identity using index \(index)") }
        return statements
    }

    /// The index of a constraint has no other way to be put there.
    private var inTablespace: String { "set local default_tablespace = \(quotedLiteral(tablespace ?? ""))" }
}

extension TableIndex: Hashable {
    static func == (first: TableIndex, second: TableIndex) -> Bool { first.key == second.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// All that is built again.
    private var key: [ByteKey] {
        let texts =
            [String(table), name.schema, name.name, definition, constraint?.definition, constraint?.comment]
            + [tablespace, comment, "\(isClustered) \(isIdentity) \(parent ?? 0) \(parts)"]
        return texts.map { ByteKey($0.map { "." + $0 } ?? "") } + statistics.map { ByteKey("\($0)") }
    }
}
