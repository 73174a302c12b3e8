import Foundation

/// Reports that a snapshot has become old: while it is there, vacuum keeps every row in the database that it can see.
struct SnapshotAge {
    private let start: ContinuousClock.Instant
    private var limit: Duration

    /// - Parameters:
    ///   - limit: The age at which it is reported; it is reported again at each doubling.
    ///   - start: When the snapshot was taken.
    init(limit: Duration, start: ContinuousClock.Instant = .now) {
        self.start = start
        self.limit = limit
    }

    /// What to say at a moment; nil when the age has been reported, or is not worth it.
    mutating func warning(at now: ContinuousClock.Instant = .now) -> Finding? {
        let age = now - start
        guard age >= limit else { return nil }
        while limit <= age { limit = limit == .zero ? .seconds(1) : limit * 2 }
        return .warning(
            "the snapshot is \(Self.text(age)) old: until the backup ends, vacuum cannot remove rows that were deleted or "
                + "updated since it was taken",
            hint: "export large tables that change often in a run of their own, or from a standby"
        )
    }

    /// As in `1 h 5 min`.
    private static func text(_ age: Duration) -> String {
        let seconds = Int(age / .seconds(1))
        if seconds < 60 { return "\(seconds) s" }
        let minutes = seconds / 60
        return minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }
}
