import Postgres

/// Which tables of a restore are done, when a run is resumed by the id of an earlier one.
struct RestoreResumption {
    let catalog: DatabaseCatalog
    /// nil when the run is a new one.
    let recorded: RecordedTables?

    /// Why a table that is done is skipped.
    var reason: String { "it is already recorded for \(source)" }

    /// Whether the table of a candidate is recorded, which is true once its rows are committed.
    func isDone(_ candidate: RestoreCandidate) -> Bool {
        isRecorded(candidate.relation.oid)
    }

    /// A partition whose root is done must not be loaded, nor a root of which a partition is: rows could be loaded twice.
    ///
    /// That happens only when files were added or removed between the two runs.
    /// - Returns: A problem for each.
    func doubleLoads(_ chosen: [RestoreCandidate]) -> [Finding] {
        guard recorded?.isEmpty == false else { return [] }
        return chosen.compactMap { candidate in
            let relation = candidate.relation
            guard relation.isPartition || relation.kind == .partitionedTable,
                let other = catalog.family(of: relation.oid).first(where: { $0 != relation.oid && isRecorded($0) }),
                let name = catalog[other]?.name
            else { return nil }
            return .problem(
                "it would be loaded by \(candidate), but \(name) is already recorded for \(source) and has the same rows, "
                    + "or some of them",
                of: relation.name.label,
                hint: "begin a new restore, or remove \(relation.name) from 'tables'"
            )
        }
    }

    /// What is done must not be emptied by way of foreign keys, and neither must the manifest.
    ///
    /// - Parameter cascaded: The tables that `truncate: cascade` reaches.
    /// - Returns: A problem for each.
    func truncations(_ cascaded: [Relation]) -> [Finding] {
        cascaded.compactMap { relation in
            if relation.name == catalog.manifest {
                return .problem(
                    "'truncate: cascade' would empty the manifest \(relation.name), which refers to a listed table",
                    of: relation.name.label,
                    hint: "use 'truncate: true'"
                )
            }
            guard catalog.family(of: relation.oid).contains(where: isRecorded) else { return nil }
            return .problem(
                "'truncate: cascade' would empty \(relation.name), which is already recorded for \(source)",
                of: relation.name.label,
                hint: "begin a new restore"
            )
        }
    }

    private var source: String { recorded?.source ?? "the run" }

    private func isRecorded(_ oid: Relation.OID) -> Bool {
        guard let recorded, let name = catalog[oid]?.name.label else { return false }
        return !recorded.paths(of: name).isEmpty
    }
}
