import Postgres

/// Compares the tables of two databases: the one that a configuration backs up, and the one that it restores.
///
///     let report = try await Comparison(configuration).run()
///     for table in report.tables where !table.differences.isEmpty { print(table.name, table.differences) }
///
/// Rows are counted and hashed by the servers, each in one moment of its own; nothing is written, and no rows are moved.
public struct Comparison: Sendable {
    /// The most keys that are named for a table.
    public static let namedKeys = 5

    private let configuration: Configuration

    /// Prepares a comparison; nothing is done before ``run(onTable:)``.
    ///
    /// - Parameter configuration: Its backup's tables in its database are compared with its restore's tables.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Compares all tables.
    ///
    /// - Parameter onTable: Receives each table when it has been compared, in the order of the names.
    /// - Returns: All tables with what differs.
    /// - Throws: `PostgresError`; ``DatabudgieError`` when there is nothing to compare; `CancellationError`.
    public func run(onTable: @Sendable (ComparedTable) -> Void = { _ in }) async throws -> ComparisonReport {
        try configuration.refuseRenaming()
        return try await withDatabase(.backup) { source in
            try await withDatabase(.restore) { target in
                let names = Set(source.relations.keys).union(target.relations.keys).sorted()
                guard !names.isEmpty else {
                    throw [Finding]().nothingMatches(
                        "there is nothing to compare",
                        hint: "name tables that are exported whole"
                    )
                }
                var tables: [ComparedTable] = []
                var comparison = TableComparison(source: source, target: target)
                comparison.namesKeys = configuration.backup.masking == nil
                for name in names {
                    tables.append(try await comparison.compare(name))
                    tables.last.map(onTable)
                }
                return ComparisonReport(tables: tables, notes: skippedQueries)
            }
        }
    }

    private func withDatabase<Result: Sendable>(
        _ kind: RunKind,
        _ body: (ComparedDatabase) async throws -> Result
    ) async throws -> Result {
        let manifest = try configuration.run(for: kind).manifest.map { try ManifestTable($0).name }
        return try await ComparedDatabase.with(
            try configuration.database(for: kind),
            without: manifest,
            select: { configuration.comparedRelations(of: kind, in: $0) },
            body
        )
    }

    private var skippedQueries: [Finding] {
        let queries = configuration.backup.tables.filter { $0.hasExplicitQuery }.map { entry in
            Finding.note("\(entry.options.place): what a query exports is not compared", of: entry.options.name)
        }
        guard configuration.backup.masking != nil else { return queries }
        let message =
            "tables with masks differ from what is restored of them, and keys are not shown; "
            + "compare a set with the target instead (--against latest)"
        return queries + [.note(message)]
    }
}

extension Configuration {
    /// Both sides of a comparison have the same names.
    ///
    /// - Throws: ``DatabudgieError`` when the restore has tables under other names.
    func refuseRenaming() throws(DatabudgieError) {
        guard let entry = restore.tables.first(where: { !$0.renaming.isEmpty }) else { return }
        throw DatabudgieError(
            .configuration,
            "\(entry.options.place): tables that 'rename' restores under other names cannot be compared",
            hint: "compare with a configuration without 'rename'"
        )
    }

    /// The tables and views of a command's entries that are moved whole.
    ///
    /// - Parameters:
    ///   - kind: The command.
    ///   - catalog: Of its database.
    /// - Returns: Each relation once or more often.
    func comparedRelations(of kind: RunKind, in catalog: DatabaseCatalog) -> [Relation] {
        let selection = TableSelection(catalog: catalog)
        let options =
            switch kind {
            case .backup: backup.tables.filter { !$0.hasExplicitQuery }.map(\.options)
            case .restore: restore.tables.filter { $0.query == nil }.map(\.options)
            }
        return options.filter(\.includesRows).flatMap { options in
            selection.withoutCoveredPartitions(
                options.name.map { selection.match($0, excluding: options.exclude).relations } ?? []
            )
        }
    }
}
