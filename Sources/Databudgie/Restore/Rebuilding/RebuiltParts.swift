/// What a load does without: constraints and indexes that are dropped before the rows, and built again as they were.
struct RebuiltParts: Sendable {
    /// Each once.
    private(set) var constraints: [TableConstraint] = []
    private(set) var indexes: [TableIndex] = []
    private var known: (constraints: Set<TableConstraint>, indexes: Set<TableIndex>) = ([], [])

    var isEmpty: Bool { constraints.isEmpty && indexes.isEmpty }

    /// The tables that have them.
    var tables: Set<Relation.OID> { Set(constraints.map(\.table) + indexes.map(\.table)) }

    /// The tables that a foreign key among them points to.
    var referenced: Set<Relation.OID> { Set(constraints.compactMap(\.referenced)) }

    /// Adds a constraint unless it is among them.
    mutating func add(_ constraint: TableConstraint) {
        if known.constraints.insert(constraint).inserted { constraints.append(constraint) }
    }

    /// Adds an index unless it is among them.
    mutating func add(_ index: TableIndex) {
        if known.indexes.insert(index).inserted { indexes.append(index) }
    }

    /// Adds those of another load.
    mutating func add(_ others: RebuiltParts) {
        others.constraints.forEach { add($0) }
        others.indexes.forEach { add($0) }
    }

    /// Whether a key that is checked at the end of the load anyway is among them.
    func contains(_ key: ForeignKey) -> Bool {
        constraints.contains { $0.table == key.referencing && $0.name.hasBytes(of: key.name) }
    }
}
