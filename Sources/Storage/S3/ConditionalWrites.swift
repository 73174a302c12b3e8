import Synchronization

/// What is known of servers that should refuse to replace an object (`If-None-Match: *`).
///
/// Some ignore the header without a word, and an object that exists would be lost then. So each object is looked up before it
/// is written, until the server is known to refuse.
final class ConditionalWrites: Sendable {
    private struct State {
        /// How many objects that must not exist were written to each bucket.
        var writes: [ExactString: Int] = [:]
        /// The buckets that refuse.
        var refusing: Set<ExactString> = []
    }

    private let state = Mutex(State())

    /// Below so many writes, finding out costs as much as it saves.
    private static let worthwhile = 8

    /// Whether a bucket refuses to replace objects.
    func areRefused(in bucket: String) -> Bool {
        state.withLock { $0.refusing.contains(ExactString(bucket)) }
    }

    /// Counts a write.
    /// - Returns: Whether it is time to find out what the bucket does; once at most.
    func count(in bucket: String) -> Bool {
        state.withLock { state in
            state.writes[ExactString(bucket), default: 0] += 1
            return state.writes[ExactString(bucket)] == Self.worthwhile
        }
    }

    /// Remembers that a bucket has refused to replace an object.
    func noteRefusal(in bucket: String) {
        state.withLock { _ = $0.refusing.insert(ExactString(bucket)) }
    }
}
