import Postgres

/// Why a table, or a query, is part of a run.
public enum SelectionReason: Sendable {
    /// An entry names the table.
    case exactName(String)
    /// An entry's glob matches the table; a glob without a dot as it is in full, with the default schema.
    case glob(String)
    /// A table that follows its foreign keys refers to it, directly or by way of others: the last of these keys.
    case reference(KeyReference)
    /// It is a query without a name.
    case query
    /// It is a query whose name is not a table's.
    case namedQuery(String)

    /// What decides between a name and a glob for one table, for all that a glob may also be a table's name.
    ///
    /// - Parameters:
    ///   - name: The name or glob of the entry.
    ///   - table: A table that it stands for, as the entry names it: the name in the backup.
    ///   - schema: The schema of names without a dot.
    init(_ name: String, for table: QualifiedName, defaultSchema schema: String) {
        let pattern = TableSelection.pattern(for: name, in: schema)
        self = pattern.hasBytes(of: table.description) ? .exactName(name) : .glob(pattern)
    }

    /// A word for the kind, for programs.
    public var kind: String {
        switch self {
        case .exactName: "exact_name"
        case .glob: "glob"
        case .reference: "follow_foreign_keys"
        case .query, .namedQuery: "query"
        }
    }
}

extension SelectionReason: CustomStringConvertible {
    /// The reason in a few words: `glob public.*`.
    public var description: String {
        switch self {
        case .exactName: "exact name"
        case .glob(let pattern): "glob \(pattern)"
        case .reference(let key): "\(key) refers to it (follow_foreign_keys)"
        case .query: "query"
        case .namedQuery(let name): "query '\(name)'"
        }
    }
}

/// A foreign key, as a reason names it.
public struct KeyReference: Sendable {
    /// The table that has the key, as reports name it.
    public let table: String
    /// Its columns, in the order of the constraint.
    public let columns: [String]
    /// The name of the constraint.
    public let constraint: String

    /// - Returns: Nil for a key of a table that the catalog does not have.
    init?(_ key: ForeignKey, in catalog: DatabaseCatalog) {
        guard let name = catalog[key.referencing]?.name else { return nil }
        (table, columns, constraint) = (name.label, key.columns, key.name)
    }
}

extension KeyReference: CustomStringConvertible {
    /// As in `public.sales.product_id`, and `public.sales (a, b)` for several columns.
    public var description: String {
        columns.count == 1 ? "\(table).\(columns[0])" : "\(table) (\(columns.joined(separator: ", ")))"
    }
}
