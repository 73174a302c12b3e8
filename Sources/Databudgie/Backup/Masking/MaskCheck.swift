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

    /// Prepares a check; nothing is done before ``run(readsData:)``.
    ///
    /// - Parameters:
    ///   - configuration: Its backup has masks.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        (self.configuration, self.environment) = (configuration, environment)
    }

    /// Checks all columns of the backup.
    ///
    /// - Parameter readsData: The server also computes masks of up to 10,000 rows of each table with CHECK constraints or
    ///   domains, and checks them.
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` for a configuration without masks, and one that plans nothing; `PostgresError`;
    ///   `CancellationError`.
    public func run(readsData: Bool = false) async throws -> MaskReport {
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
            let counts = result.plan.counts
            return MaskReport(
                findings: findings,
                tables: jobs.count(where: \.includesRows),
                columns: counts.columns,
                masked: counts.masked,
                kept: counts.kept,
                warnings: database.plan.findings.filter { $0.kind == .warning }
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
    /// What a backup would warn of besides.
    public let warnings: [Finding]

    /// A backup would not be refused for its masks.
    public var isAccepted: Bool { !findings.contains(where: \.isProblem) }
}
