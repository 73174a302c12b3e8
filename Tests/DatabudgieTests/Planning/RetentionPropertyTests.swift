import DatabudgieTestSupport
import Foundation
import Testing

@testable import Databudgie

/// Random sets and policies, beside a second and slower way to come to the same.
@Suite("Retention of random sets")
struct RetentionPropertyTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private struct Sample {
        var policy: RetentionPolicy
        var sets: [Retention.Candidate]
    }

    private func sample(_ random: inout SeededGenerator) -> Sample {
        var policy = RetentionPolicy()
        while policy.keepsNothing {
            for rule in RetentionPolicy.Rule.allCases where Bool.random(using: &random) {
                policy.counts[rule] =
                    Int.random(in: 0..<8, using: &random) == 0
                    ? .unlimited : .atMost(.random(in: 0..<9, using: &random))
            }
            if Bool.random(using: &random) {
                policy.within = RetentionPeriod(["5h", "3d", "2m", "1y", "1m3d"].randomElement(using: &random) ?? "1h")
            }
        }
        // Some samples have many sets in an hour, others a set in a year.
        let spreads: [Double] = [3_600, 259_200, 8_640_000, 259_200_000]
        let spread: Double = spreads.randomElement(using: &random) ?? 1
        let moments = Set(
            (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                (Self.now.timeIntervalSince1970 - Double.random(in: 0..<spread, using: &random)).rounded(.down)
            }
        )
        let isMixed = Bool.random(using: &random)
        let sets = moments.map { seconds in
            let moment = Date(timeIntervalSince1970: seconds)
            let isComplete = !isMixed || Bool.random(using: &random)
            return Retention.Candidate(id: RunTimestamp(moment).timestamp, moment: moment, isComplete: isComplete)
        }
        return Sample(policy: policy, sets: sets)
    }

    private func samples(_ body: (Sample) throws -> Void) rethrows {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<600 { try body(sample(&random)) }
    }

    /// Which complete sets stay, by the texts of their dates and grouping.
    private func expected(_ sample: Sample) -> Set<String> {
        let complete = sample.sets.filter(\.isComplete).sorted { $0.moment > $1.moment }
        var iso = Calendar(identifier: .iso8601)
        iso.timeZone = .gmt
        func span(_ rule: RetentionPolicy.Rule, _ set: Retention.Candidate) -> String {
            let week = iso.dateComponents([.yearForWeekOfYear, .weekOfYear], from: set.moment)
            return switch rule {
            case .last: set.id
            case .hourly: String(set.id.prefix(13))
            case .daily: String(set.id.prefix(10))
            case .weekly: "\(week.yearForWeekOfYear ?? 0)-\(week.weekOfYear ?? 0)"
            case .monthly: String(set.id.prefix(7))
            case .yearly: String(set.id.prefix(4))
            }
        }
        var kept: Set<String> = []
        for (rule, count) in sample.policy.counts {
            let limit = if case .atMost(let number) = count { number } else { Int.max }
            var newest: [(span: String, id: String)] = []
            for set in complete where !newest.contains(where: { $0.span == span(rule, set) }) {
                newest.append((span(rule, set), set.id))
            }
            kept.formUnion(newest.prefix(limit).map(\.id))
            if newest.count < limit, let oldest = complete.last { kept.insert(oldest.id) }
        }
        return kept
    }

    @Test("The rules keep what grouping by the texts of dates keeps")
    func agreesWithGrouping() {
        samples { sample in
            var counting = sample
            counting.policy.within = nil
            let decisions = Retention.decisions(counting.policy, counting.sets, now: Self.now)
            let complete = Set(counting.sets.filter(\.isComplete).map(\.id))
            #expect(Set(decisions.filter(\.isKept).map(\.id)).intersection(complete) == expected(counting))
        }
    }

    @Test("The newest complete set always stays, with everything that is newer")
    func newestStays() {
        samples { sample in
            let decisions = Retention.decisions(sample.policy, sample.sets, now: Self.now)
            #expect(decisions.map(\.id) == sample.sets.map(\.id).sorted(by: >))
            let complete = Set(sample.sets.filter(\.isComplete).map(\.id))
            let newest = decisions.firstIndex { complete.contains($0.id) } ?? decisions.count - 1
            let removed = decisions.prefix(newest + 1).filter { !$0.isKept }
            #expect(removed.isEmpty)
        }
    }

    @Test("What was kept is kept for the same reasons when the rest is gone")
    func repeats() {
        samples { sample in
            let kept = Retention.decisions(sample.policy, sample.sets, now: Self.now).filter(\.isKept)
            let ids = Set(kept.map(\.id))
            let left = sample.sets.filter { ids.contains($0.id) }
            #expect(Retention.decisions(sample.policy, left, now: Self.now) == kept)
        }
    }

    @Test("Partial sets change nothing for complete ones")
    func ignoresPartialSets() {
        samples { sample in
            let complete = sample.sets.filter(\.isComplete)
            let all = Retention.decisions(sample.policy, sample.sets, now: Self.now)
            let ids = Set(complete.map(\.id))
            #expect(
                Retention.decisions(sample.policy, complete, now: Self.now) == all.filter { ids.contains($0.id) }
            )
        }
    }

    @Test("A period keeps exactly the sets that are younger")
    func agreesWithAge() {
        samples { sample in
            let policy = RetentionPolicy(within: RetentionPeriod("3d2h"))
            let complete = sample.sets.filter(\.isComplete)
            guard let newest = complete.map(\.moment).max() else { return }
            let kept = Set(Retention.decisions(policy, complete, now: Self.now).filter(\.isKept).map(\.id))
            #expect(kept == Set(complete.filter { newest.timeIntervalSince($0.moment) < 74 * 3_600 }.map(\.id)))
        }
    }
}
