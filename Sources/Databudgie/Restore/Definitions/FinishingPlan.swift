import Postgres

/// What comes after the rows, cut into what several members can create at the same time, and what has to come in order.
struct FinishingPlan {
    /// What one transaction creates.
    struct Unit: Sendable {
        var definitions: [StoredDefinition]
        /// How much there is to read, as far as it is known, in bytes.
        var size: Int64
        var locks: [Relation.OID: LockMode]
    }

    /// A key that was added without a look at the rows.
    struct Validation: Sendable {
        let key: ForeignKeyDefinition
        /// The definition that added it, whose failure it would be.
        let addition: StoredDefinition
        let size: Int64
        let locks: [Relation.OID: LockMode]

        /// Before Postgres 18 a partitioned table cannot have a key that is not valid, and the parts of a key that points to a
        /// partitioned table are not validated with it.
        ///
        /// - Parameters:
        ///   - stored: nil comes of any other definition than that of a foreign key, and of a key that cannot be validated apart.
        ///   - relations: The tables.
        ///   - size: How many bytes were loaded into the table that has the key.
        init?(_ stored: StoredDefinition, _ relations: [QualifiedName: Relation], size: Int64 = 0) {
            guard let key = ForeignKeyDefinition(stored.definition), let referencing = relations[key.referencing],
                let referenced = relations[key.referenced], referencing.kind == .table, referenced.kind == .table
            else { return nil }
            (self.key, addition, self.size) = (key, stored, size)
            var locks = [referenced.oid: LockMode.rowShare]
            locks[referencing.oid] = .shareUpdateExclusive
            self.locks = locks
        }

        /// Checks the rows.
        var check: StoredDefinition { running(key.validating) }

        /// Removes the key again.
        var removal: StoredDefinition { running(key.removing) }

        private func running(_ sql: String) -> StoredDefinition {
            var stored = addition
            stored.definition.sql = sql
            return stored
        }
    }

    /// Indexes and the keys that are made of some.
    private(set) var builds: [Unit] = []
    /// The others up to the last foreign key.
    private(set) var keys: [StoredDefinition] = []
    private(set) var validations: [Validation] = []
    /// What comes after the foreign keys.
    private(set) var rest: [StoredDefinition] = []

    /// Tables of at least so many bytes have a transaction for each of their indexes, and their foreign keys are validated apart.
    private static let large = Int64(8 << 20)

    /// - Parameters:
    ///   - definitions: All that comes after the rows, in its order.
    ///   - catalog: The tables, also those that were created.
    ///   - sizes: How many bytes were loaded into each.
    init(_ definitions: [StoredDefinition], catalog: DatabaseCatalog, sizes: [Relation.OID: Int64]) {
        let relations = catalog.relationsByName
        var sizes = sizes
        // The rows of a partitioned table are in its partitions, nobody knows in which.
        for relation in catalog.relations where relation.kind == .partitionedTable {
            guard let size = sizes[relation.oid] else { continue }
            let partitions = catalog.descendants(of: relation.oid)
            for oid in partitions { sizes[oid, default: 0] += size / Int64(partitions.count) }
        }
        var small = Unit(definitions: [], size: 0, locks: [:])
        var others: [StoredDefinition] = []
        for stored in definitions {
            guard let lock = Self.lock(of: stored.definition), let name = stored.definition.relation,
                let relation = relations[name], [.table, .partitionedTable].contains(relation.kind)
            else {
                others.append(add(stored, relations, sizes))
                continue
            }
            let size = sizes[relation.oid] ?? 0
            guard size < Self.large else {
                builds.append(Unit(definitions: [stored], size: size, locks: [relation.oid: lock]))
                continue
            }
            small.definitions.append(stored)
            small.size += size
            small.locks[relation.oid] =
                lock.strength > small.locks[relation.oid]?.strength ?? 0 ? lock : small.locks[relation.oid]
            guard small.definitions.count == DefinitionBatch.limit else { continue }
            builds.append(small)
            small = Unit(definitions: [], size: 0, locks: [:])
        }
        if !small.definitions.isEmpty { builds.append(small) }
        let last = others.lastIndex { $0.definition.type == "FK CONSTRAINT" }.map { $0 + 1 } ?? 0
        (keys, rest) = (Array(others[..<last]), Array(others[last...]))
    }

    /// The lock that creating an index or a key takes on its table; nil for anything else.
    private static func lock(of definition: Definition) -> LockMode? {
        switch definition.type {
        case "CONSTRAINT": .accessExclusive
        // Its table may be altered with it, such as by CLUSTER ON.
        case "INDEX": definition.sql.containsBytes(of: "ALTER TABLE") ? .accessExclusive : .share
        default: nil
        }
    }

    /// Notes a large table's foreign key to be validated apart.
    ///
    /// - Returns: The definition that adds it.
    private mutating func add(
        _ stored: StoredDefinition,
        _ relations: [QualifiedName: Relation],
        _ sizes: [Relation.OID: Int64]
    ) -> StoredDefinition {
        guard stored.definition.type == "FK CONSTRAINT", let name = stored.definition.relation,
            let size = relations[name].flatMap({ sizes[$0.oid] }), size >= Self.large,
            let validation = Validation(stored, relations, size: size)
        else { return stored }
        validations.append(validation)
        var added = stored
        added.definition.sql = validation.key.adding
        return added
    }
}

extension DatabaseCatalog {
    /// The tables and views by their names.
    var relationsByName: [QualifiedName: Relation] {
        Dictionary(relations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
