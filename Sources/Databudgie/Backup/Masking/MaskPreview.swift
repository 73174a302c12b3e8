import Postgres

/// Shows some rows of a table as a backup would export them.
public struct MaskPreview: Sendable {
    private let configuration: Configuration
    private let table: String
    private let environment: RunEnvironment

    /// Prepares a preview; nothing is done before ``run(rows:)``.
    ///
    /// - Parameters:
    ///   - configuration: Its backup has masks.
    ///   - table: A table or query of the backup, `schema.table`; the schema may be missing when one table has the name.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, table: String, environment: RunEnvironment = RunEnvironment()) {
        (self.configuration, self.table, self.environment) = (configuration, table, environment)
    }

    /// Reads masked rows.
    ///
    /// - Parameter rows: How many at most.
    /// - Returns: The rows; unmasked values of masked columns have not left the server.
    /// - Throws: ``DatabudgieError`` when the backup would be refused, or has no such table; `PostgresError`;
    ///   `CancellationError`.
    public func run(rows: Int = 5) async throws -> MaskedSample {
        try await MaskedDatabase.with(configuration, environment, needsRules: true) { database in
            let result = try await database.inspection.masks(of: database.plan.jobs)
            try MaskSummary(result.plan, database.configuration.policy).findings.throwProblems(.configuration)
            let job = try result.applied(to: database.plan.jobs).exporting(table)
            if let problem = job.problem {
                throw DatabudgieError(.configuration, problem.message, table: job.id.name, hint: problem.hint)
            }
            return try await sample(job, rows, database)
        }
    }

    private func sample(_ job: BackupJob, _ rows: Int, _ database: MaskedDatabase) async throws -> MaskedSample {
        let connection = database.connection
        do {
            let result = try await connection.withDiscardedSavepoint("mask_preview", settings: job.sessionSettings) {
                if job.readsViews { try await connection.restrictViews(false) }
                try await connection.setMaskKeys(of: job.query.masks, database.inspection.key)
                return try await connection.query("select * from (\n\(job.query.sql)\n) as s limit \(rows)")
            }
            return MaskedSample(
                table: job.id.name,
                columns: result.columns.map { name in
                    MaskedSample.Column(name: name, mask: job.query.masks?.labels[ByteKey(name)])
                },
                rows: result.rows.map { row in result.columns.indices.map { row[$0] } }
            )
        } catch let error as PostgresError {
            throw error.withoutMaskedValues
        }
    }
}

/// Some rows of a table as a backup would export them.
public struct MaskedSample: Sendable {
    /// A column of a data file.
    public struct Column: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// Its mask; nil when its values are as they are.
        public let mask: String?
    }

    /// The table or query.
    public let table: String
    /// In the order of the file.
    public let columns: [Column]
    /// The values as text; nil is NULL.
    public let rows: [[String?]]
}
