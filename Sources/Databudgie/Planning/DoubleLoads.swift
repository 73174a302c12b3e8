import Storage

/// Finds rows that a restore would load twice, which nothing but a unique constraint would notice.
struct DoubleLoads {
    let catalog: DatabaseCatalog

    /// Compares the files and the entries of all loads.
    ///
    /// - Parameter chosen: The loads, each with its file.
    /// - Returns: A problem for each that would repeat another one.
    func findings(_ chosen: [(RestoreCandidate, FileInfo)]) -> [Finding] {
        equalFiles(chosen) + equalTargets(chosen) + equalQueries(chosen) + partitions(chosen)
    }

    /// A file holds the rows of one table.
    private func equalFiles(_ chosen: [(RestoreCandidate, FileInfo)]) -> [Finding] {
        var loads: [StoragePath: RestoreCandidate] = [:]
        return chosen.flatMap { candidate, file -> [Finding] in
            guard let other = loads[file.path] else {
                loads[file.path] = candidate
                return []
            }
            guard other.relation.oid != candidate.relation.oid else {
                return [
                    .problem(
                        "\(file.path) would be loaded twice, by \(other) and by \(candidate)",
                        of: candidate.relation.name.label,
                        hint: "remove one of them"
                    )
                ]
            }
            // Names that were given to one table are no mistake.
            if candidate.isRenamed || other.isRenamed, candidate.storedName == other.storedName { return [] }
            // Nobody knows whose rows they are, so it is a problem of both.
            return [(candidate, other), (other, candidate)].map { one, another in
                .problem(
                    "\(file.path) would be loaded into \(another.relation.name) by \(another), and again by \(one)",
                    of: one.relation.name.label,
                    hint: "use {table} in location or filename"
                )
            }
        }
    }

    /// Renaming must not bring two tables together.
    private func equalTargets(_ chosen: [(RestoreCandidate, FileInfo)]) -> [Finding] {
        var first: [Relation.OID: RestoreCandidate] = [:]
        return chosen.map(\.0).compactMap { candidate in
            guard let other = first[candidate.relation.oid] else {
                first[candidate.relation.oid] = candidate
                return nil
            }
            guard other.storedName != candidate.storedName else { return nil }
            return .problem(
                "both \(other.storedName) and \(candidate.storedName) would be restored into it, by \(other) and by "
                    + "\(candidate)",
                of: candidate.relation.name.label,
                hint: "give each a name of its own under 'rename', or exclude one of them"
            )
        }
    }

    /// Files of one table in several places have the same rows, unless different queries have chosen them.
    private func equalQueries(_ chosen: [(RestoreCandidate, FileInfo)]) -> [Finding] {
        var loads: [Relation.OID: [(RestoreCandidate, FileInfo)]] = [:]
        return chosen.compactMap { candidate, file in
            let (oid, entry) = (candidate.relation.oid, candidate.entry)
            let others = loads[oid, default: []]
            loads[oid, default: []].append((candidate, file))
            guard
                let (other, otherFile) = others.first(where: {
                    $0.0.entry.hasSameQuery(as: entry) && $0.0.storedName == candidate.storedName
                }),
                otherFile.path != file.path
            else { return nil }
            return .problem(
                "its rows would be loaded twice: from \(otherFile.path) by \(other), and from \(file.path) by \(candidate)",
                of: candidate.relation.name.label,
                hint: "remove one of them, or give each the 'query' of its backup if their rows are different"
            )
        }
    }

    /// The file of a root has the rows of its partitions.
    private func partitions(_ chosen: [(RestoreCandidate, FileInfo)]) -> [Finding] {
        let owners = Dictionary(chosen.map { ($0.0.relation.oid, $0.0) }, uniquingKeysWith: { first, _ in first })
        return chosen.map(\.0).filter(\.relation.isPartition).flatMap { candidate in
            catalog.lineage(of: candidate.relation.oid).dropFirst().compactMap { owners[$0] }.map { root in
                .problem(
                    "it would be loaded by \(candidate), and its rows again with \(root.relation.name) by \(root)",
                    of: candidate.relation.name.label,
                    hint: "remove one of them"
                )
            }
        }
    }
}
