import Postgres

/// Tells by counts of the server's what texts are; no value leaves it.
struct MaskContent {
    let connection: Connection

    /// How many rows are looked at.
    static let rows = 1_000

    /// Patterns of values, and the mask that each suggests.
    private static let patterns = [
        (mask: "email", pattern: "^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$"),
        (mask: "hash", pattern: "^[0-9]{1,3}([.][0-9]{1,3}){3}$"),
        (mask: "digits", pattern: "^[A-Z]{2}[0-9]{2}( ?[0-9A-Z]{2,4}){3,8}$"),
        (mask: "digits", pattern: "^[+(]?[0-9][0-9 ()/.-]{5,}[0-9]$"),
    ]

    /// The masks of columns of which four fifths of the values look alike.
    ///
    /// - Parameters:
    ///   - job: Exports the table.
    ///   - columns: Of the table.
    /// - Returns: By the column's name.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func masks(of job: BackupJob, _ columns: [ColumnFacts]) async throws -> [ByteKey: String] {
        let texts = columns.filter { $0.type.family == .text }
        guard !texts.isEmpty else { return [:] }
        let counts = texts.enumerated().flatMap { number, _ in
            ["pg_catalog.count(c\(number))"]
                + Self.patterns.map { pattern in
                    "pg_catalog.count(*) filter (where "
                        + MaskSQL.binary("c\(number)", "~", quotedLiteral(pattern.pattern)) + ")"
                }
        }
        let values = texts.enumerated().map { number, column in
            MaskSQL.cast("t.\(quotedIdentifier(column.name))", "text") + " as c\(number)"
        }
        let rows = "select \(values.joined(separator: ", ")) from (\n\(job.query.sql)\n) as t limit \(Self.rows)"
        let sql = "select \(counts.joined(separator: ", ")) from (\(rows)) as s"
        do {
            let result = try await connection.withDiscardedSavepoint("mask_content", settings: job.sessionSettings) {
                if job.readsViews { try await connection.restrictViews(false) }
                return try await connection.query(sql).rows.first
            }
            guard let row = result else { return [:] }
            var masks: [ByteKey: String] = [:]
            for (number, column) in texts.enumerated() {
                let start = number * (Self.patterns.count + 1)
                let total = row[start].flatMap { Int($0) } ?? 0
                let best = Self.patterns.enumerated().first { place, _ in
                    (row[start + 1 + place].flatMap { Int($0) } ?? 0) * 5 >= total * 4
                }
                if total > 0, let best { masks[ByteKey(column.name)] = best.element.mask }
            }
            return masks
        } catch {
            // A table that the role may not read has no content for it.
            try rethrowUnlessJobFailed(error)
            return [:]
        }
    }
}
