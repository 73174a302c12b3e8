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

    @Test("The order of references makes no difference")
    func order() async throws {
        for seed in 0..<300 {
            let subset = RandomSubset(seed: UInt64(seed))
            let rows = try await closed(subset, .init(usual: 3, rounds: seed % 3, rowsOfShortRound: 5))
            for order in 0..<3 {
                let (other, edges) = subset.reordered(seed: UInt64(order))
                let found = try await closed(other, .init(usual: 2))
                #expect(found.chosen == rows.chosen && found.kept == rows.kept, "seed \(seed)")
                let severed = Dictionary(
                    uniqueKeysWithValues: found.severed.map { (edges[$0.key], addresses($0.value)) }
                )
                #expect(severed == rows.severed.mapValues(addresses), "seed \(seed)")
            }
        }
    }

    @Test("The start is part of the result, and 'both' in place of 'parents' never removes a row")
    func growth() async throws {
        for seed in 0..<300 {
            // A wall is where a reference may not be followed, and more references that are followed make more tables a tenant's.
            let subset = RandomSubset(seed: UInt64(seed)).withoutWalls
            let rows = try await closed(subset, .init())
            let more = try await closed(subset.following(.both, insteadOf: .parents), .init())
            #expect(Set(subset.starts.joined()).isSubset(of: addresses(rows.chosen)), "seed \(seed)")
            #expect(addresses(rows.chosen).isSubset(of: addresses(more.chosen)), "seed \(seed)")
            #expect(addresses(rows.kept).isSubset(of: addresses(more.kept)), "seed \(seed)")
        }
    }

    @Test("Each row was found from one that was there before, by the reference that is noted")
    func trace() async throws {
        for seed in 0..<300 {
            let subset = RandomSubset(seed: UInt64(seed))
            let graph = subset.plan.graph
            let sizes = SubsetBatchSizes(usual: 2, withoutIndex: 3, rounds: seed % 3, rowsOfShortRound: 5)
            let steps = MemorySteps(subset: subset, limit: seed % 2 == 0 ? 2 : .max)
            var closure = SubsetClosure(subset.plan, steps, batchSizes: sizes, keepsTrace: true)
            try await closure.run()
            let trace = try #require(closure.trace)
            func isWhole(_ row: RowAddress) -> Bool { graph.owners[row.table].map { graph.nodes[$0].isWhole } == true }
            for row in addresses(closure.rows.kept).union(addresses(closure.rows.chosen)) {
                guard let origin = trace.origin(of: row) else {
                    Issue.record("seed \(seed): nothing is known of \(row)")
                    continue
                }
                guard let arc = origin.arc else {
                    #expect(subset.starts.joined().contains(row), "seed \(seed)")
                    continue
                }
                let causes =
                    arc.isDownward
                    ? subset.pairs[arc.edge].filter { $0.child == row }.map(\.parent)
                    : subset.pairs[arc.edge].filter { $0.parent == row }.map(\.child)
                let isLinked = closure.rows.chosen[row.table]?.contains(row.place) != true
                #expect(
                    causes.contains { trace.origin(of: $0, before: origin.time) != nil || isLinked && isWhole($0) },
                    "seed \(seed)"
                )
            }
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
