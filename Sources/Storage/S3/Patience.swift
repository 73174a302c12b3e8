/// Decides how often one thing is tried again.
///
/// Time counts from the first failure: what was achieved before, a long upload or half a download, is not held against
/// what follows it. Slow attempts get more of it, because otherwise those of large bodies would have none.
struct Patience: Sendable {
    /// Attempts that are always granted, however long they take.
    static let minimumAttempts = 3

    private let policy: RetryPolicy
    private var begin: ContinuousClock.Instant
    private var firstFailure: ContinuousClock.Instant?
    private var longest: Duration = .zero
    /// Failures so far.
    private(set) var failures = 0

    init(_ policy: RetryPolicy) {
        self.policy = policy
        begin = policy.clock()
    }

    /// Notes that an attempt begins.
    mutating func start() {
        begin = policy.clock()
    }

    /// Notes that an attempt failed.
    mutating func fail() {
        let now = policy.clock()
        failures += 1
        firstFailure = firstFailure ?? now
        longest = max(longest, begin.duration(to: now))
    }

    /// Forgets all failures: something was achieved.
    mutating func renew() {
        self = Patience(policy)
    }

    /// How long it has failed by now.
    var duration: Duration { firstFailure.map { $0.duration(to: policy.clock()) } ?? .zero }

    /// Whether another attempt is worth it.
    var isLeft: Bool {
        guard policy.giveUpAfter > .zero else { return false }
        return failures < Self.minimumAttempts || duration < max(policy.giveUpAfter, longest * Self.minimumAttempts)
    }
}
