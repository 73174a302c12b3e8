import CLibpq

/// Hands the server's notices to a closure; otherwise libpq would print them to standard error.
final class NoticeReceiver: Sendable {
    private let handler: (@Sendable (Notice) -> Void)?

    /// Creates a receiver.
    ///
    /// - Parameter handler: Called on the connection's executor; nil drops all notices.
    init(_ handler: (@Sendable (Notice) -> Void)?) {
        self.handler = handler
    }

    /// Has libpq deliver a connection's notices here.
    ///
    /// - Parameter connection: A live connection, which must end before the receiver does.
    @unsafe
    func attach(to connection: OpaquePointer) {
        // The pointer stays valid: the owner of the connection also owns the receiver (EstablishedConnection, Connection).
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                let receiver = unsafe Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue()
                guard let handler = receiver.handler else { return }
                handler(unsafe LibpqResult.notice(result))
            },
            context
        )
    }
}
