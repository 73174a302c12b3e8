import Postgres

/// Checks the masks of a configuration against the tables of a database, before a backup does.
///
///     let report = try await MaskCheck(configuration).run()
///     for finding in report.findings { print(finding.sentence) }
///
/// Nothing but the catalog is read, so an empty database with the same schema will do.
public struct MaskCheck: Sendable {
    private let configuration: Configuration
    private let environment: RunEnvironment

    /// Fewer rows are a small group, unless another number is given.
    public static let leastGroup = 5

    /// Prepares a check; nothing is done before ``run(readsData:groups:atLeast:)``.
    ///
    /// - Parameters:
    ///   - configuration: Its backup has masks.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        (self.configuration, self.environment) = (configuration, environment)
    }

    /// Checks all columns of the backup.
    ///
    /// - Parameters:
    ///   - readsData: The server also computes masks of up to 10,000 rows of each table with CHECK constraints or domains, and
    ///     checks them.
    ///   - groups: The server also counts rows that are alike in these columns, with masks in place of values.
    ///   - least: Fewer rows are a small group, which is a problem.
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` for a configuration without masks, one that plans nothing, and groups of what is not
    ///   exported; `PostgresError`; `CancellationError`.
    public func run(
        readsData: Bool = false,
        groups: [MaskGroup] = [],
        atLeast least: Int = MaskCheck.leastGroup
    ) async throws -> MaskReport {
        try await MaskedDatabase.with(configuration, environment, needsRules: true) { database in
            let inspection = database.inspection
            let result = try await inspection.masks(of: database.plan.jobs)
            var findings = result.plan.findings
            let jobs = result.applied(to: database.plan.jobs)
            for (number, problem) in result.problems.sorted(by: { $0.key < $1.key }) {
                findings.append(
                    MaskFinding(.wrongType, jobs[number].id.name, problem.message, suggestion: problem.hint)
                )
            }
            if !findings.contains(where: \.isProblem) {
                findings += try await inspection.refusals(of: jobs)
            }
            if readsData, !findings.contains(where: \.isProblem) {
                let probe = MaskProbe(connection: database.connection, columns: result.columns, key: inspection.key)
                findings += try await probe.violations(of: jobs)
            }
            var groupCounts: [MaskGroupCount] = []
            if !findings.contains(where: \.isProblem) {
                let counter = MaskGroups(connection: database.connection, key: inspection.key, least: least)
                groupCounts = try await counter.counts(of: groups, jobs)
                findings += groupCounts.compactMap(\.finding)
            }
            let counts = result.plan.counts
            return MaskReport(
                findings: findings,
                tables: jobs.count(where: \.includesRows),
                columns: counts.reduce(0) { $0 + $1.columns },
                masked: counts.reduce(0) { $0 + $1.masked },
                kept: counts.reduce(0) { $0 + $1.kept },
                groups: groupCounts,
                warnings: database.plan.findings.filter { $0.kind == .warning } + database.subsetWarnings(groups)
            )
        }
    }
}

/// What a check of masks has found.
public struct MaskReport: Sendable {
    /// In the order of the tables; what concerns no column comes first.
    public let findings: [MaskFinding]
    /// Tables and queries whose rows a backup exports.
    public let tables: Int
    /// Their columns.
    public let columns: Int
    /// The columns with masks.
    public let masked: Int
    /// The columns that rules keep.
    public let kept: Int
    /// How many rows are alike in the columns that were asked for; none when a backup would be refused.
    public let groups: [MaskGroupCount]
    /// What a backup would warn of besides.
    public let warnings: [Finding]

    /// A backup would not be refused for its masks.
    public var isAccepted: Bool { !findings.contains(where: \.isProblem) }
}
