/// The file that each definition belongs to.
struct DefinitionHomes {
    /// What a file is about: the name that replaces `{table}` in its path.
    enum Unit: Hashable {
        /// By the bytes of its name, as the server compares names.
        case schema([UInt8])
        case relation(Relation.OID)
        /// The database as a whole; its file is beside the list of tables.
        case database
    }

    /// By position; nil for an extension in a schema of the server's own, which is at home in each schema.
    private let homes: [Unit?]

    /// Entry types of the database as a whole, whatever schema the table of contents has for them.
    private static let databaseTypes: Set = [
        "EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "FOREIGN DATA WRAPPER",
        "SERVER", "PROCEDURAL LANGUAGE", "ACCESS METHOD",
    ]

    /// - Parameters:
    ///   - index: All definitions.
    ///   - owners: What the catalog says about them.
    init(_ index: ArchiveIndex, _ owners: DefinitionOwners) {
        var homes: [Unit?] = []
        for position in index.entries.indices {
            homes.append(Self.home(of: position, index, owners, before: homes))
        }
        self.homes = homes
    }

    subscript(position: Int) -> Unit? { homes[position] }

    private static func home(
        of position: Int,
        _ index: ArchiveIndex,
        _ owners: DefinitionOwners,
        before homes: [Unit?]
    ) -> Unit? {
        let entry = index.entries[position]
        if let relation = index.relations[position] { return .relation(relation) }
        if databaseTypes.contains(entry.type) { return .database }
        guard entry.schema.isEmpty else { return .schema(Array(entry.schema.utf8)) }
        if let schema = owners.namespaces[DefinitionOwners.Object(catalog: entry.catalog, oid: entry.oid)] {
            return schema.hasBytes(of: "pg_catalog") ? nil : .schema(Array(schema.utf8))
        }
        let dependencies = index.dependencies(of: position).filter { $0 < position }
        // A comment is where its subject is. A cast and the like are where their types and functions are.
        if index.subject(of: position) != nil, let subject = dependencies.first { return homes[subject] }
        let schemas = dependencies.filter { !index.entries[$0].schema.isEmpty }.compactMap { homes[$0] }
        return schemas.first ?? .database
    }
}
