import Postgres

/// Which constraints of a table that are NOT VALID have to be dropped for its rows, because the rows of the set may violate
/// them: COPY enforces them as it does all others.
struct NotValidRules {
    /// Dropped before the load, and added again, NOT VALID, after it.
    private(set) var released: [TableConstraint] = []
    private(set) var findings: [Finding] = []

    /// What a set says of its rows and a constraint of their table.
    private enum Evidence {
        /// So many rows violate it.
        case violated(by: Int)
        /// The source's constraint was not valid either, or a subset has not followed it.
        case possible(String)
    }

    /// Compares what the set says with the constraints of the target.
    ///
    /// - Parameters:
    ///   - job: What is about to be loaded.
    ///   - constraints: Those of its table and its partitions that are not valid.
    ///   - record: Of the set; nil when the files are chosen by their names, and nothing is known.
    ///   - catalog: Of the target.
    init(_ job: RestoreJob, _ constraints: [TableConstraint], _ record: SetRecord?, _ catalog: DatabaseCatalog) {
        guard let record, job.candidate?.source.part != nil else { return }
        for constraint in constraints where constraint.isEnforced {
            guard let table = catalog[constraint.table],
                let evidence = Self.evidence(constraint.name, stored(table, job), job, record)
            else { continue }
            release(constraint, evidence, table, job)
        }
        for key in record.foreignKeys where key.ignored == true && key.notValid != true {
            findIgnored(key, job, catalog)
        }
    }

    private mutating func release(
        _ constraint: TableConstraint,
        _ evidence: Evidence,
        _ table: Relation,
        _ job: RestoreJob
    ) {
        let noun = constraint.referenced == nil ? "constraint" : "foreign key"
        let name = "\(noun) \(constraint.name)" + (table.oid == job.relation.oid ? "" : " of \(table.name.label)")
        let reason =
            switch evidence {
            case .violated(let rows): "\(counted(rows, "row")) of the set \(rows == 1 ? "violates" : "violate") it"
            case .possible(let reason): "rows of the set may violate it: \(reason)"
            }
        guard constraint.isOwned, constraint.canReturn else {
            let hint =
                constraint.isOwned
                ? "drop it for the restore, because it could not be put back exactly as it is"
                : "connect as the table's owner, who can drop it for the load"
            // The server's answer is certain only when rows were counted.
            if case .violated = evidence {
                findings.append(.problem("the \(name) is NOT VALID, and \(reason)", of: job.id, hint: hint))
            } else {
                findings.append(.warning("the \(name) is NOT VALID, and \(reason)", of: job.id, hint: hint))
            }
            return
        }
        released.append(constraint)
        findings.append(
            .warning(
                "the \(name) is dropped for the load and added again, NOT VALID as it is, because \(reason)",
                of: job.id
            )
        )
    }

    /// A foreign key that a subset has not followed, where the target vouches for it.
    private mutating func findIgnored(_ key: SetRecord.ForeignKey, _ job: RestoreJob, _ catalog: DatabaseCatalog) {
        let tables = [job.relation] + catalog.descendants(of: job.relation.oid).compactMap { catalog[$0] }
        guard let table = tables.first(where: { stored($0, job).hasBytes(of: key.table) }) else { return }
        let isThere = catalog.foreignKeys.contains {
            $0.referencing == table.oid && $0.name.hasBytes(of: key.name) && $0.isValidated
        }
        guard isThere || job.isNew else { return }
        findings.append(
            .warning(
                "rows of the set may violate the foreign key \(key.name), which the subset has not followed (ignore)",
                of: job.id,
                hint: "if they do, make it NOT VALID in the target: drop it, and add it with NOT VALID"
            )
        )
    }

    /// The name of a table in the set, as the record has it.
    private func stored(_ table: Relation, _ job: RestoreJob) -> String {
        table.oid == job.relation.oid ? job.storedName ?? table.name.label : table.name.label
    }

    private static func evidence(
        _ constraint: String,
        _ table: String,
        _ job: RestoreJob,
        _ record: SetRecord
    ) -> Evidence? {
        let key = record.foreignKeys.first { $0.name.hasBytes(of: constraint) && $0.table.hasBytes(of: table) }
        if let key {
            if let orphans = key.orphans, orphans > 0 { return .violated(by: orphans) }
            if key.ignored == true { return .possible("the subset has not followed it (ignore)") }
            // Orphans were counted, and there are none.
            guard key.notValid == true, key.orphans == nil else { return nil }
            return .possible("it was NOT VALID in the source, too")
        }
        let stored = job.storedName ?? job.relation.name.label
        let isListed = record.tables.contains { part in
            guard let name = part.name else { return false }
            return QualifiedName(schema: part.schema ?? "", name: name).label.hasBytes(of: stored)
                && part.notValid?.contains { $0.hasBytes(of: constraint) } == true
        }
        return isListed ? .possible("it was NOT VALID in the source, too") : nil
    }
}
