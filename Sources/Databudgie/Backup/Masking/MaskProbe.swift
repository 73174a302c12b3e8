import Postgres

/// Lets the server compute masks for some rows, and check them as the constraints of a table would.
struct MaskProbe {
    let connection: Connection
    let columns: ColumnCatalog
    let key: MaskKey

    /// How many rows of a table are tried.
    static let rows = 10_000

    /// Tries the CHECK constraints and domains of masked columns.
    ///
    /// - Parameter jobs: With their masks.
    /// - Returns: What a restore would be refused for.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func violations(of jobs: [BackupJob]) async throws -> [MaskFinding] {
        var findings: [MaskFinding] = []
        for job in jobs where job.isOfTable {
            guard let masks = job.query.masks, let relation = job.relation else { continue }
            let facts = columns.columns[relation.oid, default: []]
            let masked = facts.filter { masks.labels[ByteKey($0.name)] != nil }
            let rows = "(\(masks.select(from: job.query.source))\nlimit \(Self.rows)) as s"
            for check in columns.checks where check.relation == relation.oid {
                let involved = facts.filter { check.columns.contains($0.number) }
                // What the server will compute is not known here.
                guard !involved.contains(where: \.isGenerated), involved.contains(where: masked.contains) else {
                    continue
                }
                let sql = "select pg_catalog.count(*) from \(rows) where not (\n\(check.expression)\n)"
                if let message = try await refusal(sql, job, masks, "the constraint \(check.name)") {
                    findings.append(MaskFinding(.violatesCheck, relation.name.label, message))
                }
            }
            for column in masked {
                guard let domain = column.domain else { continue }
                let sql = "select pg_catalog.count((s.\(quotedIdentifier(column.name)))::\(domain)) * 0 from \(rows)"
                if let message = try await refusal(sql, job, masks, "the domain \(domain)") {
                    findings.append(MaskFinding(.violatesCheck, "\(relation.name.label).\(column.name)", message))
                }
            }
        }
        return findings
    }

    /// Runs a count of refused rows; nil when there is none.
    private func refusal(
        _ sql: String,
        _ job: BackupJob,
        _ masks: MaskedColumns,
        _ constraint: String
    ) async throws -> String? {
        do {
            let count = try await connection.withDiscardedSavepoint("mask_probe", settings: job.sessionSettings) {
                if job.readsViews { try await connection.restrictViews(false) }
                try await connection.setMaskKeys(of: masks, key)
                return try await connection.query(sql).rows.first?[0].flatMap { Int($0) } ?? 0
            }
            guard count > 0 else { return nil }
            return "\(constraint) refuses the masks of \(count) of the first \(Self.rows) rows"
        } catch {
            try rethrowUnlessJobFailed(error)
            let state = (error as? PostgresError)?.sqlState.map { " (SQLSTATE \($0))" } ?? ""
            return "\(constraint) refuses its masks\(state)"
        }
    }
}
