import Postgres

/// Compares a set with the database that a configuration restores into.
///
///     let report = try await SetComparison(configuration, set: "latest").run()
///     for table in report.tables where !table.differences.isEmpty { print(table.name, table.differences) }
///
/// The server is sent the rows of each file for a temporary table; nothing else is written.
public struct SetComparison: Sendable {
    private let access: CatalogAccess
    private let set: String
    private let wanted: [String]
    private let unwanted: [String]

    /// Prepares a comparison; nothing is done before ``run(onTable:)``.
    ///
    /// - Parameters:
    ///   - configuration: Says where the records are, and which database the restore loads.
    ///   - kind: Whose catalog it is: that of the configuration's backup or that of its restore.
    ///   - set: `latest`, an id, or as much of its beginning as no other set has.
    ///   - tables: Names or globs over the tables of the set; none: those that the restore has.
    ///   - excluding: The same for tables that are left out.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for kind: RunKind = .backup,
        set: String = "latest",
        tables: [String] = [],
        excluding: [String] = [],
        environment: RunEnvironment = RunEnvironment()
    ) {
        access = CatalogAccess(configuration: configuration, kind: kind, environment: environment)
        (self.set, wanted, unwanted) = (set, tables, excluding)
    }

    /// Compares all tables.
    ///
    /// - Parameter onTable: Receives each table when it has been compared, in the order of the names.
    /// - Returns: All tables with what differs.
    /// - Throws: ``DatabudgieError`` when there is no such set, or nothing to compare; `PostgresError`, `StorageError`;
    ///   `CancellationError`.
    public func run(onTable: @Sendable (ComparedTable) -> Void = { _ in }) async throws -> ComparisonReport {
        let configuration = access.configuration
        try configuration.refuseRenaming()
        let database = try configuration.database(for: .restore)
        let manifest = try configuration.restore.run.manifest.map { try ManifestTable($0).name }
        return try await access.withCatalog { catalog in
            let (id, passedOver) = try await catalog.find(set)
            var stored = StoredSet(record: try await catalog.record(id), catalog: catalog.folder)
            try stored.record.refuseSuperseded()
            try RequiredMasks(configuration.restore).check(all: stored.record)
            try stored.keepTables(wanted, excluding: unwanted)
            let record = stored.record
            return try await StagedSet.with(record, catalog, in: database, without: manifest) { database in
                let schema = database.defaultSchema
                let names = Set(record.tables.compactMap { $0.tableName(defaultSchema: schema) })
                let asked = wanted.isEmpty ? configuration.comparedRelations(of: .restore, in: database) : []
                let known = Set(asked.map(\.name))
                return asked + database.relations.filter { names.contains($0.name) && !known.contains($0.name) }
            } _: { staged in
                try await compare(staged, notes: passedOver, onTable)
            }
        }
    }

    private func compare(
        _ staged: StagedSet,
        notes: [Finding],
        _ onTable: @Sendable (ComparedTable) -> Void
    ) async throws -> ComparisonReport {
        let (tables, others) = choose(staged)
        let notes = notes + others
        let schema = staged.target.catalog.defaultSchema
        let recorded = Set(staged.record.tables.compactMap { $0.tableName(defaultSchema: schema) })
        let unrecorded = staged.target.relations.filter { !recorded.contains($0) && !$1.kind.isDerived }.keys
        guard !tables.isEmpty || !unrecorded.isEmpty else {
            throw notes.nothingMatches("there is nothing to compare", hint: "name tables that are exported whole")
        }
        var compared: [ComparedTable] = []
        for name in (Array(tables.keys) + unrecorded).sorted() {
            if let table = tables[name] {
                compared.append(try await staged.compare(table))
            } else if let relation = staged.target.relations[name] {
                var table = ComparedTable(name: name.label)
                table.targetRows = try await staged.target.hash(relation, []).sum().rows
                table.differences = ["it is only in the target"]
                compared.append(table)
            }
            compared.last.map(onTable)
        }
        return ComparisonReport(set: staged.record.id, tables: compared, notes: notes)
    }

    /// The tables of the set that are compared, and warnings about those that are not.
    private func choose(_ staged: StagedSet) -> (tables: [QualifiedName: SetRecord.Table], notes: [Finding]) {
        let schema = staged.target.catalog.defaultSchema
        let asked = restored(defaultSchema: schema)
        var (tables, notes, others) = ([QualifiedName: SetRecord.Table](), [Finding](), 0)
        for table in staged.record.tables {
            guard let name = table.tableName(defaultSchema: schema), table.isWholeTable else {
                notes.append(.warning("what a query exports is not compared", of: table.label))
                continue
            }
            if let relation = staged.target.relations[name], relation.kind.isDerived {
                notes.append(.warning("it is a \(relation.kind.noun) in the target, and not compared", of: table.label))
            } else if asked(name) {
                tables[name] = table
            } else {
                others += 1
            }
        }
        guard others > 0 else { return (tables, notes) }
        let warning = Finding.warning(
            "\(counted(others, "table")) of the set \(others == 1 ? "is" : "are") not compared, because the configuration "
                + "does not restore \(others == 1 ? "it" : "them")",
            hint: "name tables of the set with --table"
        )
        return (tables, notes + [warning])
    }

    /// A test for tables that the restore of the configuration loads; all of them when it names none.
    private func restored(defaultSchema: String) -> (QualifiedName) -> Bool {
        let entries = access.configuration.restore.tables.map(\.options).filter(\.includesRows)
        guard wanted.isEmpty, !entries.isEmpty else { return { _ in true } }
        let tests = entries.compactMap { options in options.name.map { ($0, options.exclude) } }
            .map { name, exclude in
                let pattern = TableSelection.pattern(for: name, in: defaultSchema)
                return (text: pattern, glob: Glob(pattern), isExcluded: TableSelection.exclusion(exclude))
            }
        return { name in
            let text = name.description
            return tests.contains { ($0.text.hasBytes(of: text) || $0.glob.matches(text)) && !$0.isExcluded(name) }
        }
    }
}

extension SetRecord {
    /// Refuses a set whose files are not all its own any more.
    ///
    /// - Throws: ``DatabudgieError`` with the code `preflight`.
    func refuseSuperseded() throws(DatabudgieError) {
        guard let newer = supersededBy else { return }
        throw DatabudgieError(
            .preflight,
            "the set \(id) is not whole any more: the set \(newer) has replaced files of it",
            hint: "choose \(newer), and use {timestamp} in names of files to keep older sets"
        )
    }
}
