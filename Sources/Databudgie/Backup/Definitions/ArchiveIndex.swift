import Postgres

/// How the entries of an archive depend on one another, by their positions.
struct ArchiveIndex {
    let entries: [ArchiveEntry]
    private let positions: [Int: Int]
    /// The table or view that each entry belongs to.
    let relations: [Relation.OID?]
    /// What the index behind a constraint needs, which pg_dump does not say.
    private let indexNeeds: [Int: [Int]]
    /// The entries of each table or view.
    let parts: [Relation.OID: [Int]]
    /// Comments and privileges of what belongs to no table.
    private let attachments: [Int: [Int]]

    /// - Parameters:
    ///   - entries: All entries, in their order.
    ///   - owners: Which of them belong to which table.
    init(_ entries: [ArchiveEntry], _ owners: DefinitionOwners) {
        self.entries = entries
        let positions = Dictionary(
            entries.enumerated().map { ($1.identifier, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.positions = positions
        let relations = Self.relations(entries, positions, owners)
        self.relations = relations
        var parts: [Relation.OID: [Int]] = [:]
        for (position, relation) in relations.enumerated() {
            if let relation { parts[relation, default: []].append(position) }
        }
        self.parts = parts
        var attachments: [Int: [Int]] = [:]
        for (position, entry) in entries.enumerated() where entry.oid == 0 && relations[position] == nil {
            guard let number = entry.dependencies.first, let first = positions[number] else { continue }
            attachments[first, default: []].append(position)
        }
        self.attachments = attachments
        indexNeeds = Self.indexNeeds(entries, owners)
    }

    private static func relations(
        _ entries: [ArchiveEntry],
        _ positions: [Int: Int],
        _ owners: DefinitionOwners
    ) -> [Relation.OID?] {
        var relations: [Relation.OID?] = []
        let tables = Dictionary(
            entries.filter { $0.catalog == ArchiveEntry.relations }.map { ($0.oid, $0.name) },
            uniquingKeysWith: { first, _ in first }
        )
        for entry in entries {
            // What has no row of its own, such as a comment, follows what it depends on first, which comes before it.
            let subjects = entry.oid == 0 ? entry.dependencies.compactMap { positions[$0] } : []
            let partition = subjects.first { position in
                guard position < relations.count else { return false }
                let table = relations[position].flatMap { tables[$0] } ?? ""
                return entry.attaches(entries[position], of: table)
            }
            let first = partition ?? entry.dependencies.first.flatMap { positions[$0] }
            let followed = first.flatMap { $0 < relations.count ? relations[$0] : nil }
            relations.append(entry.oid == 0 ? followed : owners.relation(of: entry))
        }
        return relations
    }

    private static func indexNeeds(_ entries: [ArchiveEntry], _ owners: DefinitionOwners) -> [Int: [Int]] {
        let objects = Dictionary(
            entries.enumerated().map { (DefinitionOwners.Object(catalog: $1.catalog, oid: $1.oid), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var indexNeeds: [Int: [Int]] = [:]
        for (constraint, needs) in owners.indexNeeds {
            guard let position = objects[constraint] else { continue }
            indexNeeds[position] = needs.compactMap { objects[$0] }
        }
        return indexNeeds
    }

    func partitions(of relation: Relation, in selected: Set<Relation.OID>) -> [Relation.OID] {
        relation.children.filter { selected.contains($0) && parts[$0] != nil }
    }

    /// What a comment, a label or a privilege is for.
    func subject(of position: Int) -> Int? {
        let isAttached = ["COMMENT", "ACL", "SECURITY LABEL"].contains(entries[position].type)
        return isAttached ? dependencies(of: position).first : nil
    }

    func dependencies(of position: Int) -> [Int] {
        entries[position].dependencies.compactMap { positions[$0] } + indexNeeds[position, default: []]
    }

    /// Everything without which some tables cannot be created, themselves included.
    func needed(by relations: some Sequence<Relation.OID>) -> Set<Int> {
        closure(of: relations.flatMap { parts[$0] ?? [] }) { _ in true }
    }

    /// What some definitions need, themselves included.
    ///
    /// - Parameters:
    ///   - roots: The positions of the definitions.
    ///   - isFollowed: Whether a table or view that one of them needs is included, with all that belongs to it.
    /// - Returns: Positions.
    func closure(of roots: some Sequence<Int>, where isFollowed: (Relation.OID) -> Bool) -> Set<Int> {
        var needed: Set<Int> = []
        var pending = Array(roots)
        while let position = pending.popLast() {
            if let relation = relations[position], !isFollowed(relation) { continue }
            guard needed.insert(position).inserted else { continue }
            if let relation = relations[position] { pending += parts[relation] ?? [] }
            pending += attachments[position] ?? []
            // The table that a foreign key refers to is not part of the one that has it.
            if entries[position].type != "FK CONSTRAINT" { pending += dependencies(of: position) }
        }
        return needed
    }
}
