import NIOCore

extension TimeAmount {
    /// Turns a duration of Swift into one of NIO, to the nanosecond.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}
