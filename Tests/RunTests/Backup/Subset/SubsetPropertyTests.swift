import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Subsets of random tables")
struct SubsetPropertyTests {
    private func configuration(_ fixture: RunFixture, _ random: RandomReferences) throws -> Configuration {
        var configuration = try fixture.configuration(
            """
            {root_location: \(fixture.folder), location: '{table}', filename: '{table}.{ext}', tables: ['\(random.schema).*']}
            """
        )
        configuration.backup.subset = random.settings
        return configuration
    }

    @Test("They are what the rules say, and all foreign keys are valid where they are restored", arguments: 0..<8)
    func rules(part: Int) async throws {
        try await RunFixture.with { fixture in
            for seed in part * 10..<(part + 1) * 10 {
                let random = RandomReferences(seed: UInt64(seed)).repaired
                try await fixture.onBoth(random.definition)
                try await fixture.execute(fixture.source, "\(random.content)\n\(random.constraints)")
                let configuration = try configuration(fixture, random)
                let report = try await BackupRun(configuration).run()
                #expect(report.failed.isEmpty, "seed \(seed): \(report.failed)")
                for (table, expected) in zip(random.tables, random.expected()) {
                    let lines = try fixture.lines("\(random.schema).\(table.name)")
                    #expect(lines == expected.sorted(), "seed \(seed), \(table.name)")
                }
                let restored = try await RestoreRun(configuration).run()
                #expect(restored.failed.isEmpty, "seed \(seed): \(restored.failed)")
                // The server checks all rows when it adds a key.
                try await fixture.execute(fixture.target, random.constraints)
            }
        }
    }

    @Test("The size of batches, and who follows chains, make no difference", arguments: 0..<4)
    func batches(part: Int) async throws {
        let sizes = [
            SubsetBatchSizes(usual: 1, withoutIndex: 1), SubsetBatchSizes(usual: 3, withoutIndex: 2, rounds: 0),
            SubsetBatchSizes(),
        ]
        try await RunFixture.with { fixture in
            for seed in 1_000 + part * 5..<1_000 + (part + 1) * 5 {
                let random = RandomReferences(seed: UInt64(seed)).repaired
                try await fixture.execute(
                    fixture.source,
                    "\(random.definition)\n\(random.content)\n\(random.constraints)"
                )
                let configuration = try configuration(fixture, random)
                var results: [SubsetRows] = []
                for size in sizes { results.append(try await rows(fixture, configuration, size)) }
                for result in results {
                    #expect(result.chosen == results[0].chosen, "seed \(seed)")
                    #expect(result.kept == results[0].kept, "seed \(seed)")
                    #expect(result.severed == results[0].severed, "seed \(seed)")
                }
                let expected = random.expected().map(\.count)
                let plan = try await plan(fixture, configuration)
                let counts = plan.graph.nodes.map { node in
                    node.isWhole ? nil : results[0].count(results[0].kept, in: node.leaves)
                }
                for (count, expected) in zip(counts, expected) {
                    #expect(count == nil || count == expected, "seed \(seed)")
                }
            }
        }
    }

    private func plan(_ fixture: RunFixture, _ configuration: Configuration) async throws -> SubsetPlan {
        var found: SubsetPlan?
        try await fixture.session(configuration, .backup) { session in
            let catalog = try await session.readCatalog(without: nil, includesKeys: true)
            found = try BackupPlanner(
                catalog: catalog,
                timestamp: session.settings.timestamp,
                isStrict: false,
                subset: configuration.backup.subset
            ).plan(configuration.backup.tables).subset
        }
        return try #require(found)
    }

    private func rows(
        _ fixture: RunFixture,
        _ configuration: Configuration,
        _ sizes: SubsetBatchSizes
    ) async throws -> SubsetRows {
        let plan = try await plan(fixture, configuration)
        var found: SubsetRows?
        try await fixture.session(configuration, .backup) { session in
            found = try await session.withTransaction(.snapshot) {
                try await SubsetSearch(session: session, plan: plan, appliesRowSecurity: false, batchSizes: sizes).run()
                    .result.rows
            }
        }
        return try #require(found)
    }
}
