import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Plans of a prune")
struct PrunePlannerTests {
    private static let now = Date.distantFuture

    private func set(
        _ id: String,
        complete: Bool = true,
        database: String? = "shop",
        tables: [String] = ["public.a"],
        files: [String]? = nil
    ) throws -> PrunableSet {
        PrunableSet(
            id: id,
            moment: try Date(id + "Z", strategy: .iso8601),
            status: complete ? "complete" : "partial",
            isComplete: complete,
            database: database,
            tables: tables,
            files: (files ?? ["public.a/\(id).csv"]).map { PrunableSet.File(path: .local($0), size: 10) },
            records: [.local("catalog/\(id).json")]
        )
    }

    private func day(_ number: Int) -> String { "2026-01-\(number < 10 ? "0" : "")\(number)T00:00:00" }

    private func outcome(
        _ sets: [PrunableSet],
        _ policy: RetentionPolicy? = RetentionPolicy([.last: .atMost(1)]),
        isRunUnderWay: Bool = false
    ) -> PrunePlanner.Outcome {
        PrunePlanner(policy: policy, now: Self.now, isRunUnderWay: isRunUnderWay).outcome(sets)
    }

    @Test("The oldest set goes first, and each with its record before its files")
    func order() throws {
        let outcome = outcome(try [2, 3, 1].map { try set(day($0)) })
        #expect(outcome.deletions.map(\.id) == [day(1), day(2)])
        #expect(
            outcome.deletions.map(\.records) == [
                [.local("catalog/\(day(1)).json")], [.local("catalog/\(day(2)).json")],
            ]
        )
        #expect(
            outcome.deletions.map(\.files) == [[.local("public.a/\(day(1)).csv")], [.local("public.a/\(day(2)).csv")]]
        )
        #expect(outcome.sets.map(\.id) == [day(3), day(2), day(1)])
        #expect(outcome.sets.map(\.isKept) == [true, false, false])
        #expect(outcome.warnings.isEmpty)
    }

    @Test(
        "A file that a set names which stays is not removed, and one of several removed sets goes with the last of them"
    )
    func sharedFiles() throws {
        let sets = try [
            set(day(1), files: ["a", "b", "c", "d1"]), set(day(2), files: ["a", "b", "d2"]),
            set(day(3), files: ["a", "d3"]),
        ]
        let outcome = outcome(sets)
        #expect(outcome.deletions.map(\.files) == [[.local("c"), .local("d1")], [.local("b"), .local("d2")]])
        #expect(outcome.deletions.map(\.size) == [20, 20])
        #expect(outcome.sets.map(\.files) == [2, 2, 2])
    }

    @Test("Sets of several databases do not take one another's place; one without a database joins the only one")
    func databases() throws {
        let mixed = try [
            set(day(1), database: "crm"), set(day(2), database: nil), set(day(3), database: "crm"),
            set(day(4), database: "shop"),
        ]
        #expect(outcome(mixed).deletions.map(\.id) == [day(1)])
        let single = try [set(day(1), database: nil), set(day(2), database: "shop"), set(day(3), database: nil)]
        #expect(outcome(single).deletions.map(\.id) == [day(1), day(2)])
    }

    @Test(
        "While a run is under way, sets stay whose files it may need: partial ones, and those without times in their names"
    )
    func underWay() throws {
        let sets = try [
            set(day(1)), set(day(2), complete: false), set(day(3), files: ["public.a/now.csv"]), set(day(4)),
        ]
        #expect(outcome(sets).deletions.map(\.id) == [day(1), day(2), day(3)])
        let outcome = outcome(sets, isRunUnderWay: true)
        #expect(outcome.deletions.map(\.id) == [day(1)])
        #expect(
            outcome.sets.map { $0.reasons.map(\.description) } == [
                ["last"], ["a run is not finished"], ["a run is not finished"], [],
            ]
        )
    }

    @Test("Without rules every set stays")
    func noRules() throws {
        let outcome = outcome(try [1, 2].map { try set(day($0), complete: $0 == 2) }, nil)
        #expect(outcome.deletions.isEmpty)
        #expect(outcome.sets.allSatisfy { $0.reasons == [.noRules] })
    }

    @Test("Tables that no complete set has any more are named, a few of them, in the order of their names")
    func lostTables() throws {
        func warnings(_ sets: [PrunableSet]) -> [String] { outcome(sets).warnings.map(\.description) }
        let tables = (1...7).map { "public.t\($0)" }
        #expect(
            warnings(try [set(day(1), tables: tables.reversed()), set(day(2), tables: ["public.t3"])]) == [
                "no complete set that stays has public.t1, public.t2, public.t4, public.t5, public.t6 and 1 more"
            ]
        )
        #expect(
            warnings(
                try [
                    set(day(1), tables: ["public.b"]), set(day(2), complete: false, tables: ["public.c"]), set(day(3)),
                    set(day(4), complete: false, tables: ["public.b"]),
                ]
            ) == ["no complete set that stays has public.b"]
        )
    }

    @Test("A damaged set stays as long as the rules say, and no good one goes because of it")
    func damagedSets() throws {
        var sets = try (1...4).map { try set(day($0)) }
        sets[3].isDamaged = true
        var outcome = outcome(sets)
        #expect(outcome.sets.map(\.isKept) == [true, true, false, false])
        #expect(outcome.sets.map(\.reasons) == [[.newest(.last)], [.newest(.last)], [], []])
        #expect(outcome.warnings.map(\.description).count == 1)
        #expect(outcome.warnings.first?.description.hasPrefix("the set \(day(4)) is damaged") == true)
        // Older than the good one it goes like any other.
        sets[3].isDamaged = false
        sets[2].isDamaged = true
        outcome = self.outcome(sets)
        #expect(outcome.sets.map(\.isKept) == [true, false, false, false])
        #expect(outcome.warnings.isEmpty)
    }

    @Test("What only a damaged set has that stays counts as lost")
    func lostInDamage() throws {
        var damaged = try set(day(2), tables: ["public.a", "public.b"])
        damaged.isDamaged = true
        let outcome = outcome(try [set(day(1), tables: ["public.b"]), damaged, set(day(3), tables: ["public.a"])])
        #expect(outcome.warnings.map(\.description) == ["no complete set that stays has public.b"])
    }
}
