import Postgres

/// Lets the server check rows whose references are cut, as the CHECK constraints of their tables would.
struct CutProbe {
    let connection: Connection
    let steps: ServerSteps
    let batchSize: Int

    /// What a restore would be refused for.
    ///
    /// - Parameter result: The rows, with their cuts.
    /// - Returns: A problem for each constraint that refuses rows.
    /// - Throws: `PostgresError` when the connection was lost.
    func violations(of result: SubsetResult) async throws -> [Finding] {
        var findings: [Finding] = []
        for node in result.plan.graph.nodes {
            var counts: [(check: CutCheck, rows: Int)] = []
            for part in result.parts(of: node.leaves.map(\.relation)) ?? [] where !part.nulls.isEmpty {
                for check in result.plan.checks[part.leaf.relation, default: []] {
                    guard check.columns.contains(where: { part.hasNull($0.name) }) else { continue }
                    guard let rows = try await refused(by: check, part, result.plan.graph) else {
                        findings.append(
                            .problem(
                                "the constraint \(check.name) refuses rows of which a reference is cut",
                                of: node.name.label
                            )
                        )
                        continue
                    }
                    if let known = counts.firstIndex(where: { $0.check.name.hasBytes(of: check.name) }) {
                        counts[known].rows += rows
                    } else {
                        counts.append((check, rows))
                    }
                }
            }
            findings += counts.filter { $0.rows > 0 }.map { check, rows in
                .problem(
                    "the constraint \(check.name) refuses \(counted(rows, "row")) of which a reference is cut",
                    of: node.name.label,
                    hint: "follow the reference, or set it to ignore"
                )
            }
        }
        return findings
    }

    /// How many rows of a part a constraint refuses; nil when the server cannot say.
    private func refused(by check: CutCheck, _ part: SubsetResult.Part, _ graph: SubsetGraph) async throws -> Int? {
        let statement = StepSQL(graph: graph).refused(by: check, from: part.leaf, of: part.node, nulls: part.nulls)
        var (count, batch): (Int, [RowPlace]) = (0, [])
        func run() async throws {
            let rows = batch
            count += try await connection.withSavepoint("subset_check") { try await steps.count(statement, rows) }
            batch.removeAll(keepingCapacity: true)
        }
        do {
            for row in part.rows {
                batch.append(row)
                if batch.count == batchSize { try await run() }
            }
            if !batch.isEmpty { try await run() }
            return count
        } catch let error as PostgresError {
            try rethrowUnlessJobFailed(error)
            return nil
        }
    }
}

extension SubsetResult.Part {
    /// A column is NULL in its rows.
    fileprivate func hasNull(_ column: String) -> Bool { nulls.contains { $0.hasBytes(of: column) } }
}
