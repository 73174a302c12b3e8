import Testing

@testable import Databudgie

@Suite("Closures of subsets")
struct SubsetClosureTests {
    private func addresses(_ sets: RowSets) -> Set<RowAddress> {
        Set(sets.flatMap { table, rows in rows.map { RowAddress(table: table, place: $0) } })
    }

    private func closed(
        _ subset: RandomSubset,
        _ sizes: SubsetBatchSizes,
        limit: Int = .max
    ) async throws -> SubsetRows {
        var closure = SubsetClosure(subset.plan, MemorySteps(subset: subset, limit: limit), batchSizes: sizes)
        try await closure.run()
        return closure.rows
    }

    @Test("It is what the rules say, for a thousand random schemas, whatever the batches are", arguments: 0..<20)
    func bruteForce(part: Int) async throws {
        for seed in part * 50..<(part + 1) * 50 {
            let subset = RandomSubset(seed: UInt64(seed))
            let expected = BruteForceSubset(subset)
            let whole = Set(subset.plan.graph.nodes.filter(\.isWhole).flatMap(\.leaves).map(\.relation))
            for size in [1, 3, 50_000] {
                // Short rounds make the chains be followed by the other way, sometimes not to their end.
                let rounds = seed % 3
                let sizes = SubsetBatchSizes(
                    usual: size,
                    withoutIndex: size + 1,
                    rounds: rounds,
                    rowsOfShortRound: 5
                )
                let rows = try await closed(subset, sizes, limit: seed % 2 == 0 ? 2 : .max)
                let message = Comment(rawValue: "seed \(seed), batches of \(size)")
                #expect(addresses(rows.chosen) == Set(expected.states.filter { $0.value == .chosen }.keys), message)
                #expect(
                    addresses(rows.kept) == Set(expected.states.keys.filter { !whole.contains($0.table) }),
                    message
                )
                #expect(rows.severed.mapValues(addresses) == expected.severed, message)
                #expect(rows.crossing.mapValues(addresses) == expected.crossing, message)
            }
        }
    }

    @Test("Each row that is not of the start or a whole table is counted once, for one reference")
    func counts() async throws {
        for seed in 0..<100 {
            let subset = RandomSubset(seed: UInt64(seed))
            let rows = try await closed(subset, .init())
            let starts = Set(subset.starts.joined())
            let whole = Set(subset.plan.graph.nodes.filter(\.isWhole).flatMap(\.leaves).map(\.relation))
            let found = addresses(rows.kept).union(addresses(rows.chosen)).subtracting(starts)
            let brought = (rows.parents + rows.children).reduce(0, +)
            #expect(brought == found.count, "seed \(seed), \(whole)")
        }
    }

    @Test("More rows of the start never remove a row")
    func monotone() async throws {
        for seed in 0..<200 {
            let subset = RandomSubset(seed: UInt64(seed))
            let rows = try await closed(subset, .init())
            let fewer = subset.withoutFirstStart
            let less = try await closed(fewer, .init())
            #expect(addresses(less.kept).isSubset(of: addresses(rows.kept)), "seed \(seed)")
            #expect(addresses(less.chosen).isSubset(of: addresses(rows.chosen)), "seed \(seed)")
        }
    }

    @Test("A subset that grows beyond its limit stops, and the reference that brought most is named")
    func limit() async throws {
        var stopped = 0
        for seed in 0..<100 {
            let subset = RandomSubset(seed: UInt64(seed)).limited(to: 3)
            let isLarge =
                BruteForceSubset(subset).states.keys.count { row in
                    !subset.plan.graph.nodes[subset.plan.graph.owners[row.table] ?? 0].isWhole
                } > 3
            do {
                _ = try await closed(subset, .init())
                #expect(!isLarge, "seed \(seed)")
            } catch let error as DatabudgieError {
                #expect(isLarge, "seed \(seed)")
                #expect(error.message.hasPrefix("the subset has more than 3 rows"))
                if error.message.contains("brought") { stopped += 1 }
            }
        }
        #expect(stopped > 10)
    }

    @Test("A start that selects nothing is an error, unless that is allowed")
    func emptyStart() async throws {
        let allowed = RandomSubset(seed: 1).withoutRowsOfStart(allowsNone: true)
        #expect(try await closed(allowed, .init()).chosen.isEmpty)
        let refused = RandomSubset(seed: 1).withoutRowsOfStart(allowsNone: false)
        let error = await #expect(throws: DatabudgieError.self) { _ = try await closed(refused, .init()) }
        #expect(error?.message.contains("the start of the subset selects no row") == true)
    }
}
