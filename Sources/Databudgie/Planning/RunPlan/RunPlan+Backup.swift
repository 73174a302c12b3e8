import Postgres
import Storage

extension RunPlan {
    /// Adds the jobs and definitions of a backup.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - pending: The jobs of it that are still to be done.
    ///   - catalog: What the plan was computed for.
    ///   - sizes: Bytes of tables, without partitions and children.
    ///   - timestamp: The moment of the run.
    /// - Throws: ``DatabudgieError`` for a location that is not a path.
    mutating func add(
        _ plan: BackupPlan,
        pending: [BackupJob],
        in catalog: DatabaseCatalog,
        sizes: [Relation.OID: Int64],
        at timestamp: RunTimestamp
    ) throws {
        let estimate = TableEstimate(catalog: catalog, sizes: sizes)
        tables = pending.map { job in
            var table = Table(
                job: job.id,
                reason: job.selection,
                place: job.place,
                file: job.mainPath.description,
                sequences: job.sequences.map(\.name.label),
                sequencesFile: job.sequences.isEmpty ? nil : job.sequencesPath.description
            )
            table.name(job.relation)
            if case .custom(let sql) = job.query.source, job.includesRows { table.query = sql }
            guard job.includesRows, case .table(_, let isOnly) = job.query.source, let relation = job.relation else {
                return table
            }
            table.rows = estimate.rows(of: relation, isOnly: isOnly) ?? job.estimatedRows
            table.bytes = estimate.bytes(of: relation, isOnly: isOnly)
            return table
        }
        addKeys(among: pending.map { ($0.id, $0.relation) }, catalog)
        definitions = try plan.definitions.flatMap { group in
            // What an extension creates has no definition of its own.
            try group.relations.filter { !$0.isExtensionMember }.map { relation in
                let path = try group.path(catalog.component(of: relation.name), timestamp)
                return Definition(table: relation.name.label, file: path.description)
            }
        }
    }

    /// Adds the foreign keys among jobs, which decide their order, and their cycles.
    mutating func addKeys(among jobs: [(id: JobID, relation: Relation?)], _ catalog: DatabaseCatalog) {
        let order = JobOrder(catalog: catalog)
        let oids = jobs.map(\.relation?.oid)
        cycles = order.components(of: oids).filter { $0.count > 1 }.map { $0.map { jobs[$0].id } }
        foreignKeys = order.links(between: oids).flatMap { link -> [Key] in
            guard let key = KeyReference(link.key, in: catalog) else { return [] }
            return link.referencing.flatMap { job in
                link.referenced.map { Key(job: jobs[job].id, referenced: jobs[$0].id, key: key) }
            }
        }
    }
}

extension RunPlan.Table {
    /// Takes over what a relation is called.
    mutating func name(_ relation: Relation?) {
        (schema, name) = (relation?.name.schema, relation?.name.name)
        relationKind = relation?.kind.noun
    }
}

/// Rows and bytes of tables with their partitions and children, as far as the server's statistics know them.
struct TableEstimate {
    let catalog: DatabaseCatalog
    /// Bytes of tables, without partitions and children.
    let sizes: [Relation.OID: Int64]

    /// The rows that a job reads; nil when one of the tables was never analyzed.
    func rows(of relation: Relation, isOnly: Bool = false) -> Int? {
        let rows = carriers(relation, isOnly).map(\.estimatedRows)
        return rows.isEmpty || rows.contains(nil) ? nil : rows.compactMap(\.self).reduce(0, +)
    }

    /// The bytes that a job reads; nil when the size of one of the tables is not known.
    func bytes(of relation: Relation, isOnly: Bool) -> Int64? {
        let bytes = carriers(relation, isOnly).map { sizes[$0.oid] }
        return bytes.isEmpty || bytes.contains(nil) ? nil : bytes.compactMap(\.self).reduce(0, +)
    }

    /// The relations that have the rows themselves.
    private func carriers(_ relation: Relation, _ isOnly: Bool) -> [Relation] {
        let children = isOnly ? [] : catalog.descendants(of: relation.oid).compactMap { catalog[$0] }
        return ([relation] + children).filter { $0.kind != .partitionedTable }
    }
}
