import FoundationEssentials

/// When and how often a failed request is sent again; time and chance come from outside.
struct RetryPolicy: Sendable {
    /// The most attempts while the server has never answered at all: a wrong address should be reported soon.
    var maximumFirstAttempts = 4
    /// The longest pause before the second attempt; it doubles with each further one.
    var firstPause: Duration = .milliseconds(100)
    /// No pause is longer.
    var longestPause: Duration = .seconds(20)
    /// How long a request that fails is sent again, counted from its first failure.
    var giveUpAfter: Duration = .seconds(300)
    /// The longest pause that a server may ask for (`Retry-After`).
    var longestRequestedPause: Duration = .seconds(60)
    /// An attempt during which nothing moves for this long is ended.
    var stall: Duration = .seconds(60)
    /// How long a server may be silent while it puts the parts of an upload together.
    var completion: Duration = .seconds(600)
    /// How long it may take to establish a connection.
    var connect: Duration = .seconds(10)
    /// How long services that lend credentials may take; where they exist they answer in milliseconds.
    var metadata: Duration = .seconds(1)
    /// How long STS and SSO may take for one answer.
    var tokenService: Duration = .seconds(20)
    /// The slowest transfer that is still waited for, in bytes a second.
    var slowestTransfer = 16 * 1024

    var now: @Sendable () -> Date = { Date.now }
    /// A clock that no one sets, to measure with.
    var clock: @Sendable () -> ContinuousClock.Instant = { .now }
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// A number from 0 to 1.
    var random: @Sendable () -> Double = { Double.random(in: 0...1) }

    /// How long to wait after an attempt that failed, from 1: any time up to the doubled limit ("full jitter"), so
    /// clients that failed together do not come back together; but what the server asked for, within reason.
    func pause(afterAttempt attempt: Int, requested: Duration? = nil) -> Duration {
        max(
            min(firstPause * (1 << min(attempt - 1, 20)), longestPause) * random(),
            min(requested ?? .zero, longestRequestedPause)
        )
    }

    /// How long one attempt with a body of some bytes may take in all.
    func limit(forBytes bytes: Int) -> Duration {
        max(.seconds(600), .seconds(bytes / slowestTransfer))
    }
}
