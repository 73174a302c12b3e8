import Foundation

/// Decides which sets are kept, by the rules of `restic forget` (its documentation, "Removing snapshots according to a
/// policy"), in UTC.
///
/// A set that is not complete takes no complete one's place: the rules count complete sets only. It is kept while no complete
/// set is newer, within `keep_within`, and when `keep_last` is unlimited, which keeps everything.
struct Retention: Sendable {
    /// A set as far as the rules look at it.
    struct Candidate: Sendable {
        let id: String
        /// The moment that its data is of.
        let moment: Date
        /// Everything can be restored from it.
        let isComplete: Bool
    }

    /// What became of a set.
    struct Decision: Sendable, Equatable {
        let id: String
        /// Why it is kept, in the order of the rules; nothing when it is to be removed.
        let reasons: [RetentionReason]

        var isKept: Bool { !reasons.isEmpty }
    }

    private let policy: RetentionPolicy
    /// Sets are kept that are newer; nil when the policy has no such rule.
    private let startOfPeriod: Date?

    /// Applies a policy.
    ///
    /// - Parameters:
    ///   - policy: The rules; at least one of them keeps something.
    ///   - sets: All sets, in any order.
    ///   - now: Sets that are newer, by a wrong clock, are no beginning of a period.
    /// - Returns: What is kept and what is not, the newest set first.
    static func decisions(_ policy: RetentionPolicy, _ sets: [Candidate], now: Date) -> [Decision] {
        let sorted = sets.sorted { ($1.moment, ByteKey($1.id)) < ($0.moment, ByteKey($0.id)) }
        let retention = Retention(policy, sorted, now)
        let reasons = retention.reasons(forComplete: sorted.filter(\.isComplete))
        let newestComplete = sorted.first(where: \.isComplete)?.moment ?? .distantPast
        return sorted.map { set in
            guard !set.isComplete else { return Decision(id: set.id, reasons: reasons[ByteKey(set.id), default: []]) }
            let isNewer = set.moment > newestComplete
            let reasons: [RetentionReason] =
                (isNewer ? [.newerThanComplete] : []) + retention.periodReason(set)
                + (policy.counts[.last] == .unlimited ? [.newest(.last)] : [])
            return Decision(id: set.id, reasons: reasons)
        }
    }

    private init(_ policy: RetentionPolicy, _ sorted: [Candidate], _ now: Date) {
        self.policy = policy
        let newest = sorted.first { $0.isComplete && $0.moment <= now }?.moment
        startOfPeriod = policy.within.flatMap { period in
            period.isZero ? nil : newest.map { UniversalCalendar.date(period, before: $0) } ?? .distantPast
        }
    }

    private func periodReason(_ set: Candidate) -> [RetentionReason] {
        guard let startOfPeriod, let period = policy.within, set.moment > startOfPeriod else { return [] }
        return [.within(period)]
    }

    private func reasons(forComplete sets: [Candidate]) -> [ByteKey: [RetentionReason]] {
        var reasons: [ByteKey: [RetentionReason]] = [:]
        for set in sets { reasons[ByteKey(set.id)] = periodReason(set) }
        for rule in RetentionPolicy.Rule.allCases {
            guard let count = policy.counts[rule] else { continue }
            var left = if case .atMost(let number) = count { number } else { Int.max }
            var lastBucket: Int?
            for (number, set) in sets.enumerated() where left > 0 {
                let bucket = rule == .last ? number : UniversalCalendar.bucket(rule, of: set.moment)
                let isNew = bucket != lastBucket
                guard isNew || number == sets.count - 1 else { continue }
                lastBucket = bucket
                left -= 1
                reasons[ByteKey(set.id), default: []].append(isNew ? .newest(rule) : .oldest(rule))
            }
        }
        return reasons
    }
}
