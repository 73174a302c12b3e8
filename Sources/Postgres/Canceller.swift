import CLibpq
import Dispatch

/// Cancels the statement that a connection runs, from any thread.
///
/// Each statement has a number, so a late cancellation never hits the statement after it.
@safe
final class Canceller: @unchecked Sendable {
    // Unchecked: `handle` never changes, and PQcancel is thread-safe (Postgres documentation, 34.7); all other state is
    // touched on `queue` only, which runs one thing at a time; deinit runs when no block on the queue refers to `self`.

    /// The number of a statement.
    typealias StatementID = UInt64

    /// A queue instead of a mutex, because PQcancel blocks: the caller of ``cancel(_:)`` does not wait for it, but the next
    /// statement does.
    private let queue = DispatchQueue(label: "databudgie.postgres.cancel")
    private let handle: OpaquePointer?
    private var current: StatementID?
    private var last: StatementID = 0
    private var hasRequest = false

    /// Creates a canceller.
    ///
    /// - Parameter handle: What PQgetCancel returned; owned by the canceller from now on.
    @unsafe
    init(handle: OpaquePointer?) {
        unsafe self.handle = unsafe handle
    }

    deinit {
        unsafe PQfreeCancel(handle)
    }

    /// Records that a statement is about to be sent.
    ///
    /// - Returns: Its number.
    func begin() -> StatementID {
        queue.sync {
            last += 1
            current = last
            hasRequest = false
            return last
        }
    }

    /// Records that a statement has ended, and waits for a cancellation of it that is being sent.
    func end(_ statement: StatementID) {
        queue.sync {
            if current == statement {
                current = nil
            }
        }
    }

    /// Whether a cancellation of the statement that began last was requested.
    var isRequested: Bool {
        queue.sync { hasRequest }
    }

    /// Cancels a statement, unless it has ended; returns at once.
    ///
    /// - Parameter statement: Its number; nil for the one that runs now.
    func cancel(_ statement: StatementID? = nil) {
        queue.async {
            guard let current = self.current, statement == nil || statement == current else { return }
            self.hasRequest = true
            self.send(current)
        }
    }

    /// Sends the request, and again until the statement has ended; called on the queue.
    ///
    /// A server ignores a request that overtakes the statement, so one is not enough.
    private func send(_ statement: StatementID) {
        guard current == statement, let handle = unsafe handle else { return }
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // Its return value does not matter: if the request could not be sent, the next one may be.
            _ = unsafe PQcancel(handle, buffer.baseAddress, Int32(buffer.count))
        }
        queue.asyncAfter(deadline: .now() + .milliseconds(200)) {
            self.send(statement)
        }
    }
}
