import Postgres

/// The tables of a database and how they depend on one another, as read at one moment.
///
/// A pure value: planning works on it without a connection.
struct DatabaseCatalog: Sendable, Equatable {
    typealias OID = Relation.OID

    /// The schema that a name without a dot belongs to: the connection's default schema.
    var defaultSchema: String { schemaKey.string }
    /// In the order of schema and name, so globs expand the same way everywhere.
    let relations: [Relation]
    let foreignKeys: [ForeignKey]
    /// Schemas that have something in them, if only functions or types.
    let schemas: [String]
    /// The run's manifest: no glob finds it, because what a run writes is not part of what it moves.
    var manifest: QualifiedName?
    /// Keys and types; nil when the run needs none of them.
    var keys: KeyCatalog?

    /// Compared by bytes, as the server does.
    private let schemaKey: ByteKey
    private let positions: [OID: Int]
    /// More than one under a name only when dots in names make `a.b` + `c` and `a` + `b.c` look the same.
    private let namesakes: [ByteKey: [Int]]
    /// How many tables, and how many schemas, have a name once its capitals are small.
    private let caselessNames: [ByteKey: Int]
    private let caselessSchemas: [ByteKey: Int]

    /// - Parameters:
    ///   - defaultSchema: The schema that a name without a dot belongs to.
    ///   - relations: The tables and the like.
    ///   - schemas: Schemas that have something in them, if only functions or types.
    ///   - foreignKeys: The keys among the relations.
    init(defaultSchema: String, relations: [Relation], schemas: [String] = [], foreignKeys: [ForeignKey]) {
        schemaKey = ByteKey(defaultSchema)
        self.relations = relations.sorted { $0.name < $1.name }
        (self.foreignKeys, self.schemas) = (foreignKeys, schemas)
        positions = Dictionary(
            self.relations.enumerated().map { ($0.element.oid, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        namesakes = Dictionary(grouping: self.relations.indices) { [relations = self.relations] in
            ByteKey(relations[$0].name.description)
        }
        caselessNames = Self.count(relations.map(\.name.label))
        caselessSchemas = Self.count(Set((relations.map(\.name.schema) + schemas).map { ByteKey($0) }).map(\.string))
    }

    private static func count(_ names: [String]) -> [ByteKey: Int] {
        Dictionary(names.map { (ByteKey($0.lowercased()), 1) }, uniquingKeysWith: +)
    }

    /// The same with further schemas, whose names count where files are named.
    func counting(schemas: [String]) -> DatabaseCatalog {
        var catalog = DatabaseCatalog(
            defaultSchema: defaultSchema,
            relations: relations,
            schemas: self.schemas + schemas,
            foreignKeys: foreignKeys
        )
        (catalog.manifest, catalog.keys) = (manifest, keys)
        return catalog
    }

    /// Whether another relation's name differs from a name in the case of letters only.
    func hasTwin(_ name: QualifiedName) -> Bool {
        caselessNames[ByteKey(name.label.lowercased()), default: 0] > 1
    }

    /// Whether another schema's name differs from a name in the case of letters only.
    func hasTwin(schema: String) -> Bool {
        caselessSchemas[ByteKey(schema.lowercased()), default: 0] > 1
    }

    subscript(oid: OID) -> Relation? {
        positions[oid].map { relations[$0] }
    }

    /// The relations whose full name, `schema.name`, has these bytes.
    func named(_ fullName: String) -> [Relation] {
        namesakes[ByteKey(fullName), default: []].map { relations[$0] }
    }

    /// The relation itself, then its parents, grandparents and so on, each once.
    func lineage(of oid: OID) -> [OID] {
        walk(from: oid) { self[$0]?.parents ?? [] }
    }

    /// All children, grandchildren and so on, without the relation itself.
    func descendants(of oid: OID) -> [OID] {
        Array(walk(from: oid) { self[$0]?.children ?? [] }.dropFirst())
    }

    /// The relation with all its ancestors and descendants.
    func family(of oid: OID) -> [OID] {
        lineage(of: oid) + descendants(of: oid)
    }

    /// The tables that rows for a relation end up in: itself, and all partitions of a partitioned table.
    func carriers(of relation: Relation) -> [Relation] {
        guard relation.kind == .partitionedTable else { return [relation] }
        return [relation] + descendants(of: relation.oid).compactMap { self[$0] }
    }

    private func walk(from oid: OID, next: (OID) -> [OID]) -> [OID] {
        var found = [oid]
        var seen: Set = [oid]
        var index = 0
        while index < found.count {
            for neighbour in next(found[index]) where seen.insert(neighbour).inserted {
                found.append(neighbour)
            }
            index += 1
        }
        return found
    }
}
