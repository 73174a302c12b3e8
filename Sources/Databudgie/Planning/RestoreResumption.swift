import Postgres

/// Which tables of a restore are done, where a run goes on with the id of an earlier one.
struct RestoreResumption {
    let catalog: DatabaseCatalog
    /// nil when the run begins anew.
    let recorded: RecordedTables?

    /// Why a table that is done is left out.
    var reason: String { "it is recorded for \(recorded?.source ?? "the run") already" }

    /// Whether the table of a candidate is recorded, which is true once its rows are committed.
    func isDone(_ candidate: RestoreCandidate) -> Bool {
        isRecorded(candidate.relation.oid)
    }

    /// Refuses to load a partition whose root is done, or a root of which a partition is: rows could come twice.
    ///
    /// That happens only where files have come or gone between the two runs.
    /// - Throws: ``DatabudgieError`` with a sentence for each.
    func refuseDoubleLoads(_ chosen: [RestoreCandidate]) throws {
        guard recorded?.isEmpty == false else { return }
        let problems = chosen.compactMap { candidate -> String? in
            let relation = candidate.relation
            guard relation.isPartition || relation.kind == .partitionedTable,
                let other = catalog.family(of: relation.oid).first(where: { $0 != relation.oid && isRecorded($0) }),
                let name = catalog[other]?.name
            else { return nil }
            return
                "\(relation.name) would be loaded by \(candidate), but \(name) is recorded for "
                + "\(recorded?.source ?? "the run") already and has the same rows, or some of them; nothing was touched. "
                + "Begin a new restore, or take \(relation.name) out."
        }
        if !problems.isEmpty { throw DatabudgieError(.preflight, problems) }
    }

    /// Refuses to empty what is done, or the manifest, by way of foreign keys.
    ///
    /// - Parameter cascaded: The tables that `truncate: cascade` reaches.
    /// - Throws: ``DatabudgieError`` with a sentence for each.
    func refuseTruncation(of cascaded: [Relation]) throws {
        let problems = cascaded.compactMap { relation -> String? in
            if relation.name == catalog.manifest {
                return
                    "'truncate: cascade' would empty the manifest \(relation.name), which refers to a listed table; nothing "
                    + "was touched. Take cascade out."
            }
            guard catalog.family(of: relation.oid).contains(where: isRecorded) else { return nil }
            return
                "'truncate: cascade' would empty \(relation.name), which is recorded for \(recorded?.source ?? "the run") "
                + "already; nothing was touched. Begin a new restore."
        }
        if !problems.isEmpty { throw DatabudgieError(.preflight, problems) }
    }

    private func isRecorded(_ oid: Relation.OID) -> Bool {
        guard let recorded, let name = catalog[oid]?.name.description else { return false }
        return !recorded.paths(of: name).isEmpty
    }
}
