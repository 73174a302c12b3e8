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
        try await withDatabase(.backup) { source in
            try await withDatabase(.restore) { target in
                let names = Set(source.relations.keys).union(target.relations.keys).sorted()
                guard !names.isEmpty else {
                    throw [Finding]().nothingMatches(
                        "there is nothing to compare",
                        hint: "name tables that are exported whole"
                    )
                }
                var tables: [ComparedTable] = []
                for name in names {
                    tables.append(try await compare(name, source, target))
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
        return try await Connection.withConnection(to: try configuration.database(for: kind)) { connection in
            try await connection.liftSessionLimits()
            return try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                let database = try await ComparedDatabase(connection, without: manifest) { relations(of: kind, in: $0) }
                try await connection.qualifyNames()
                return try await body(database)
            }
        }
    }

    /// The tables and views of a command's entries that are exported whole.
    private func relations(of kind: RunKind, in catalog: DatabaseCatalog) -> [Relation] {
        let selection = TableSelection(catalog: catalog)
        let options =
            switch kind {
            case .backup: configuration.backup.tables.filter { !$0.hasExplicitQuery }.map(\.options)
            case .restore: configuration.restore.tables.filter { $0.query == nil }.map(\.options)
            }
        return options.filter(\.includesRows).flatMap { options in
            selection.withoutCoveredPartitions(
                options.name.map { selection.match($0, excluding: options.exclude).relations } ?? []
            )
        }
    }

    private var skippedQueries: [Finding] {
        configuration.backup.tables.filter { $0.hasExplicitQuery }.map { entry in
            .note("\(entry.options.place): what a query exports is not compared", of: entry.options.name)
        }
    }

    private func compare(
        _ name: QualifiedName,
        _ source: ComparedDatabase,
        _ target: ComparedDatabase
    ) async throws -> ComparedTable {
        var table = ComparedTable(name: name.label)
        let (left, right) = (source.relations[name], target.relations[name])
        guard let left, let right else {
            if let left { table.sourceRows = try await source.hash(left, []).sum().rows }
            if let right { table.targetRows = try await target.hash(right, []).sum().rows }
            table.differences = ["it is only in the \(left == nil ? "target" : "source")"]
            return table
        }
        let (types, otherTypes) = (source.types(of: left), target.types(of: right))
        table.differences = Self.columnDifferences(types, otherTypes)
        let common = types.keys.filter { otherTypes[$0] != nil }.sorted().map(\.string)
        let (hash, otherHash) = (source.hash(left, common), target.hash(right, common))
        async let first = hash.sum()
        async let second = otherHash.sum()
        let (sum, otherSum) = (try await first, try await second)
        (table.sourceRows, table.targetRows) = (sum.rows, otherSum.rows)
        if sum != otherSum {
            table.differences.append(
                sum.rows == otherSum.rows
                    ? "rows have other values"
                    : "the source has \(counted(sum.rows, "row")), the target \(otherSum.rows)"
            )
            table.keys = try await hash.differences(from: otherHash, limit: Self.namedKeys)
        }
        table.differences += Self.sequenceDifferences(source.sequenceValues(of: left), target.sequenceValues(of: right))
        return table
    }

    private static func columnDifferences(_ source: [ByteKey: String], _ target: [ByteKey: String]) -> [String] {
        Set(source.keys).union(target.keys).sorted().compactMap { name in
            switch (source[name], target[name]) {
            case (let type?, let other?):
                type.hasBytes(of: other)
                    ? nil : "the column \(name.string) is \(type) in the source and \(other) in the target"
            case (_?, nil): "the column \(name.string) is only in the source"
            case (nil, _): "the column \(name.string) is only in the target"
            }
        }
    }

    private static func sequenceDifferences(
        _ source: [QualifiedName: SequenceState],
        _ target: [QualifiedName: SequenceState]
    ) -> [String] {
        source.keys.sorted().compactMap { name in
            guard let state = source[name], let other = target[name], state != other else { return nil }
            return "the sequence \(name) is at \(state.sentence) in the source and at \(other.sentence) in the target"
        }
    }
}

extension SequenceState {
    fileprivate var sentence: String { isCalled ? "\(lastValue)" : "\(lastValue) (not used yet)" }
}

extension Connection {
    /// Names of types and the like are written with their schemas, as in an export of plain tables.
    fileprivate nonisolated(nonsending) func qualifyNames() async throws {
        try await execute("set local search_path = ''; set local timezone = 'UTC'")
    }
}
