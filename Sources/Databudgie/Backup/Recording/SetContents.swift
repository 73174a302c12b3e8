import Compression
import Crypto
import Foundation
import Postgres
import Storage

/// What a set record says of a run, besides its files.
struct SetContents: Sendable {
    let source: SetRecord.Source
    let columns: [Relation.OID: [ByteKey: ColumnReader.ColumnFacts]]
    let database: DatabaseCatalog
    /// Which rows are exported; nil: all.
    let subset: SubsetResult?
    /// CHECK and NOT NULL constraints that are not valid, by their tables.
    let notValid: [Relation.OID: [String]]
    /// How the columns are masked; nil when none is.
    let masking: SetRecord.Masking?
    var failures: [SetRecord.Failure] = []

    /// Reads what is known before the first file is written, in the run's snapshot.
    ///
    /// - Throws: `PostgresError`.
    static func read(
        _ session: DatabaseSession,
        _ plan: BackupPlan,
        _ database: DatabaseCatalog,
        _ subset: SubsetResult?
    ) async throws -> SetContents {
        let connection = session.connection
        let tables = plan.jobs.filter { $0.isOfTable && $0.includesRows }.compactMap(\.relation)
        let constraints = try await TableConstraintReader(connection: connection).read(
            notValidOf: tables.flatMap { [$0.oid] + database.descendants(of: $0.oid) }
        )
        return SetContents(
            source: try await SourceReader(connection: connection).source(),
            columns: try await ColumnReader(connection: connection).columns(
                of: plan.jobs.filter(\.isOfTable).compactMap(\.relation?.oid)
            ),
            database: database,
            subset: subset,
            notValid: Dictionary(grouping: constraints.filter { $0.referenced == nil }, by: \.table)
                .mapValues { $0.map(\.name) },
            masking: plan.masking
        )
    }

    /// The record of the run's files.
    ///
    /// - Parameters:
    ///   - id: The set's id.
    ///   - written: The files.
    ///   - kept: What is known of the files of earlier runs, by their paths.
    ///   - paths: How paths are written.
    /// - Returns: The record, without the time of its beginning and its configuration.
    func record(
        id: String,
        written: WrittenFiles,
        kept: [StoragePath: KeptFiles.KeptFile],
        paths: RecordedPaths
    ) -> SetRecord {
        // In the order of the plan, whoever was first.
        let tables = written.parts.sorted { $0.job.id.number < $1.job.id.number }.map { part in
            switch part {
            case .written(let job, let outcome): table(job, outcome, paths)
            case .kept(let job, let path): named(kept[path]?.table, job)
            }
        }
        let definitions = written.definitions.map { SetRecord.File($0, paths) }
            .sorted { ByteKey($0.path) < ByteKey($1.path) }
        let dataFiles = tables.filter { $0.file != nil }
        let sizes = tables.flatMap { [$0.file?.bytes, $0.sequencesFile?.bytes].compactMap(\.self) }
        return SetRecord(
            id: id,
            tool: DatabudgieVersion.tool,
            status: failures.isEmpty ? .complete : .partial,
            consistency: kept.isEmpty ? .snapshot : .mixed,
            startedAt: Date(),
            finishedAt: Date(),
            source: source,
            totals: SetRecord.Totals(
                tables: dataFiles.count,
                rows: dataFiles.contains { $0.rows == nil } ? nil : dataFiles.compactMap(\.rows).reduce(0, +),
                bytes: dataFiles.contains { $0.bytes == nil } ? nil : dataFiles.compactMap(\.bytes).reduce(0, +),
                fileBytes: (sizes + definitions.map(\.bytes)).reduce(0, +)
            ),
            masking: masking(written, kept),
            tables: tables,
            definitions: definitions,
            foreignKeys: foreignKeys(among: written),
            failures: failures,
            warnings: [],
            subset: subset.map(SetRecord.Subset.init)
        )
    }

    /// Files of earlier runs may have been written under other rules: then none of their columns counts as classified.
    private func masking(
        _ written: WrittenFiles,
        _ kept: [StoragePath: KeptFiles.KeptFile]
    ) -> SetRecord.Masking? {
        guard var masking else { return nil }
        let rules = masking.rules
        for case .kept(let job, let path) in written.parts where job.includesRows {
            let file = kept[path]
            // Nothing in a set without such columns was written under other rules than those of its record.
            let hasSameRules = rules != nil && file?.masking?.rules == rules && file?.masking?.unclassified == 0
            guard !hasSameRules, !isMasked(file?.table, as: job) else { continue }
            masking.unclassified += max(1, file?.table.columns.count ?? 0)
        }
        return masking
    }

    /// Whether the file of an earlier run has the columns and the masks that this one would write.
    private func isMasked(_ table: SetRecord.Table?, as job: BackupJob) -> Bool {
        let labels = job.query.masks?.labels ?? [:]
        guard let table, !table.columns.isEmpty else { return labels.isEmpty }
        if case .custom(let query) = job.query.source, table.query.map({ ByteKey($0) }) != ByteKey(query) {
            return false
        }
        let known = job.isOfTable ? job.relation.flatMap { columns[$0.oid] } : nil
        return table.columns.allSatisfy { column in
            let name = ByteKey(column.name)
            guard known.map({ $0[name] != nil }) ?? true else { return false }
            let label = labels[name].map { ByteKey($0) }
            return label == column.mask.map { ByteKey($0) } && column.mask.map(Mask.isWhole) ?? true
        }
    }

    private func foreignKeys(among written: WrittenFiles) -> [SetRecord.ForeignKey] {
        // A partition can have keys of its own.
        let tables = Set(
            written.parts.compactMap(\.job.relation).flatMap { relation in
                [relation.oid] + (relation.kind == .partitionedTable ? database.descendants(of: relation.oid) : [])
            }
        )
        return database.foreignKeys.compactMap { key in
            guard !key.isInherited, tables.contains(key.referencing), tables.contains(key.referenced),
                let table = database[key.referencing], let referenced = database[key.referenced]
            else { return nil }
            return foreignKey(key, table, referenced)
        }.sorted { (ByteKey($0.table), ByteKey($0.name)) < (ByteKey($1.table), ByteKey($1.name)) }
    }

    private func foreignKey(_ key: ForeignKey, _ table: Relation, _ referenced: Relation) -> SetRecord.ForeignKey {
        var recorded = SetRecord.ForeignKey(
            name: key.name,
            table: table.name.label,
            references: referenced.name.label,
            notValid: key.isValidated ? nil : true
        )
        guard let subset else { return recorded }
        let edges = subset.plan.graph.edges.enumerated().filter { _, edge in
            edge.constraint.map { $0.table == table.oid && $0.name.hasBytes(of: key.name) } == true
        }
        if edges.contains(where: { $0.element.follow == .ignore }) { recorded.ignored = true }
        let counted = edges.filter { subset.countsOrphans($0.offset) }
        if !counted.isEmpty { recorded.orphans = counted.reduce(0) { $0 + subset.orphans[$1.offset] } }
        return recorded
    }

    /// Constraints of a table and its partitions that its rows may violate.
    private func notValid(_ job: BackupJob) -> [String]? {
        guard job.isOfTable, let relation = job.relation else { return nil }
        let names = ([relation.oid] + database.descendants(of: relation.oid)).flatMap { notValid[$0, default: []] }
        return names.isEmpty ? nil : names
    }

    private func table(_ job: BackupJob, _ outcome: JobOutcome, _ paths: RecordedPaths) -> SetRecord.Table {
        var table = named(nil, job)
        table.columns = outcome.columns.map { column(job, $0) }
        table.sequencesFile = outcome.sequencesFile.map { SetRecord.File($0, paths) }
        table.sequences = outcome.sequences.map { value in
            SetRecord.RecordedSequence(
                schema: value.name.schema,
                name: value.name.name,
                lastValue: value.lastValue,
                isCalled: value.isCalled
            )
        }
        guard job.includesRows, let file = outcome.file else { return table }
        table.subset = counts(job, outcome)
        table.notValid = notValid(job)
        (table.rows, table.bytes) = (outcome.totals.rows, outcome.totals.bytes)
        table.file = SetRecord.DataFile(
            path: paths.text(of: file.path),
            bytes: outcome.totals.fileBytes,
            compression: job.format.compression?.rawValue,
            segments: outcome.segments.map(SetRecord.Segment.init)
        )
        return table
    }

    /// How many rows of the subset a table has, and why.
    private func counts(_ job: BackupJob, _ outcome: JobOutcome) -> SetRecord.SubsetCount? {
        guard let subset, job.isSubsetTable, let relation = job.relation else { return nil }
        let chosen = subset.counts(of: database.holders(of: relation)).chosen
        return SetRecord.SubsetCount(chosen: chosen, linked: outcome.totals.rows - chosen)
    }

    /// What is known of a file, under the name that this run has for it.
    private func named(_ known: SetRecord.Table?, _ job: BackupJob) -> SetRecord.Table {
        var table = known ?? SetRecord.Table(columns: [], sequences: [])
        (table.schema, table.name) = (job.relation?.name.schema, job.relation?.name.name ?? job.tableName)
        if case .custom(let sql) = job.query.source { table.query = sql }
        return table
    }

    private func column(_ job: BackupJob, _ column: JobColumn) -> SetRecord.Column {
        let facts = job.isOfTable ? job.relation.flatMap { columns[$0.oid]?[ByteKey(column.name)] } : nil
        return SetRecord.Column(
            name: column.name,
            type: facts?.type ?? column.typeName ?? "",
            notNull: facts?.isNotNull == true ? true : nil,
            generated: facts?.isGenerated == true ? true : nil,
            identity: facts?.isIdentity == true ? true : nil,
            mask: job.query.masks?.labels[ByteKey(column.name)]
        )
    }
}

extension WrittenFiles.Part {
    /// The job of the plan.
    var job: BackupJob {
        switch self {
        case .written(let job, _), .kept(let job, _): job
        }
    }
}

extension SetRecord.Subset {
    /// What a record says of a subset: no condition, which may hold personal data, but a hash of all that decides about rows.
    fileprivate init(_ result: SubsetResult) {
        let (settings, graph, rows) = (result.plan.settings, result.plan.graph, result.rows)
        let rules = ConfigurationPrinter().rules(of: settings)
        let chosen = rows.chosen.values.reduce(0) { $0 + $1.count }
        self.init(
            start: Set(result.plan.starts.map(\.node)).sorted().map { graph.nodes[$0].name.label },
            rules: "sha256:" + hexadecimal(SHA256.hash(data: Data(rules.utf8))),
            tenants: settings.tenants,
            chosen: chosen,
            linked: graph.nodes.indices.filter { !graph.nodes[$0].isWhole }.reduce(0) { sum, node in
                let leaves = graph.nodes[node].leaves
                return sum + rows.count(rows.kept, in: leaves) - rows.count(rows.chosen, in: leaves)
            },
            references: graph.edges.indices.map { edge in
                let cut = result.cuts.filter { $0.edge == edge }.flatMap(\.rows.values).reduce(0) { $0 + $1.count }
                return SetRecord.SubsetReference(
                    name: graph.edges[edge].name,
                    followed: graph.edges[edge].follow.rawValue,
                    broughtParents: rows.parents[edge],
                    broughtChildren: rows.children[edge],
                    cut: cut,
                    orphans: result.orphans[edge]
                )
            }
        )
    }
}

extension SetRecord.File {
    fileprivate init(_ file: StoredFile, _ paths: RecordedPaths) {
        self.init(path: paths.text(of: file.path), bytes: file.bytes, sha256: hexadecimal(file.sha256))
    }
}

extension SetRecord.Segment {
    fileprivate init(_ hashed: HashedSegment) {
        self.init(
            offset: hashed.segment.offset,
            bytes: hashed.segment.bytes,
            uncompressedBytes: hashed.segment.uncompressedBytes,
            rows: hashed.segment.rows,
            sha256: hexadecimal(hashed.sha256)
        )
    }
}
