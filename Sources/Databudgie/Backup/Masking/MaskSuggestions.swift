import Postgres

/// Proposes rules for all columns that no rule masks or keeps.
public struct MaskSuggestions: Sendable {
    private let configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares suggestions; nothing is done before ``run(readsData:)``.
    ///
    /// - Parameters:
    ///   - configuration: Of a backup, with masks or without.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        (self.configuration, self.environment) = (configuration, environment)
    }

    /// Looks at names, types and comments of columns.
    ///
    /// - Parameter readsData: The server also counts which values of up to 1,000 rows look like addresses and numbers.
    /// - Returns: One rule for each column, or for the columns that a foreign key relates.
    /// - Throws: ``DatabudgieError`` for a configuration that plans nothing; `PostgresError`; `CancellationError`.
    public func run(readsData: Bool = false) async throws -> [SuggestedMask] {
        try await MaskedDatabase.with(configuration, environment, needsRules: false) { database in
            let result = try await database.inspection.masks(of: database.plan.jobs)
            let content = MaskContent(connection: database.connection)
            var suggestions: [SuggestedMask] = []
            var seen: Set<ColumnCatalog.ID> = []
            for job in database.plan.jobs where job.includesRows && job.isOfTable {
                guard let relation = job.relation else { continue }
                let open = result.plan.masks.undecided(in: relation.oid)
                let found = readsData ? try await content.masks(of: job, open.map(\.column)) : [:]
                for (members, column) in open where !members.contains(where: seen.contains) {
                    seen.formUnion(members)
                    let name = result.plan.masks.name(of: result.plan.masks.root(of: members))
                    let (mask, reason) = found[ByteKey(column.name)].map { ($0, "content") } ?? suggestion(column)
                    suggestions.append(SuggestedMask(column: name, mask: mask, reason: reason))
                }
            }
            return suggestions
        }
    }

    private func suggestion(_ column: ColumnFacts) -> (mask: String, reason: String) {
        let mask = MaskSuggestion.of(column)
        if mask != "keep", PersonalWord.mask(for: column.name) != nil { return (mask, "name") }
        if mask != "keep", column.comment.flatMap(PersonalWord.mask) != nil { return (mask, "comment") }
        return (mask, "type")
    }
}

/// A rule that a column probably needs.
public struct SuggestedMask: Sendable, Hashable {
    /// The column, `schema.table.column`.
    public let column: String
    /// The mask as configurations have it: `email`, `{shift: 30 days}`, `keep`.
    public let mask: String
    /// What suggests it: `name`, `comment`, `type` or `content`.
    public let reason: String
}

extension ColumnMasks {
    /// The columns of a relation that no rule decides, each with all columns that have its values.
    func undecided(in relation: Relation.OID) -> [(members: [ID], column: ColumnFacts)] {
        columns.columns[relation, default: []].filter { !$0.isGenerated }.compactMap { column in
            let id = ID(relation: relation, number: column.number)
            guard decisions[id] == nil, ambiguous[id] == nil, conflicts[id] == nil else { return nil }
            return (classes[id] ?? [id], column)
        }
    }

    /// The column that the values of others come from.
    func root(of members: [ID]) -> ID {
        let referencing = Set(links.map(\.from))
        return members.first { !referencing.contains($0) } ?? members[0]
    }
}
