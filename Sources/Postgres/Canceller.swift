import CLibpq
import Dispatch
import Synchronization

/// Cancels the statement that a connection runs, from any thread.
///
/// Each statement has a number, so that a cancellation that comes late never hits the statement after it.
final class Canceller: Sendable {
    /// The number of a statement.
    typealias StatementID = UInt64

    @safe
    private struct State: @unchecked Sendable {
        // Unchecked: PQcancel is thread-safe by its documentation (34.7), and the pointer is touched only by the canceller,
        // inside its mutex, until the canceller's deinit frees it.
        var handle: OpaquePointer?
        var current: StatementID?
        var last: StatementID = 0
        var isRequested = false
    }

    private let state: Mutex<State>
    /// Where requests are sent; a queue of its own, as the shared ones may all be busy with what is to be cancelled.
    private let queue = DispatchQueue(label: "databudgie.postgres.cancel")

    /// Creates a canceller.
    ///
    /// - Parameter handle: What PQgetCancel gave; owned by the canceller from now on.
    init(handle: OpaquePointer?) {
        state = unsafe Mutex(State(handle: handle))
    }

    deinit {
        state.withLock { unsafe PQfreeCancel($0.handle) }
    }

    /// Notes that a statement is about to be sent.
    ///
    /// - Returns: Its number.
    func begin() -> StatementID {
        state.withLock { state in
            state.last += 1
            state.current = state.last
            state.isRequested = false
            return state.last
        }
    }

    /// Notes that a statement has ended, and waits for a cancellation of it that is just being sent.
    func end(_ statement: StatementID) {
        state.withLock { state in
            if state.current == statement {
                state.current = nil
            }
        }
    }

    /// Whether somebody has asked to cancel the statement that began last.
    var isRequested: Bool {
        state.withLock { $0.isRequested }
    }

    /// Cancels a statement, unless it has ended.
    ///
    /// - Parameter statement: Its number; nil for the one that runs now.
    func cancel(_ statement: StatementID? = nil) {
        let target = state.withLock { state -> StatementID? in
            guard let current = state.current, statement == nil || statement == current else { return nil }
            state.isRequested = true
            return current
        }
        if let target {
            send(target)
        }
    }

    /// Sends the request, on a thread that may block, and again until the statement has ended.
    ///
    /// A server ignores a request that overtakes the statement, so that one is not enough.
    private func send(_ statement: StatementID, after delay: DispatchTimeInterval = .nanoseconds(0)) {
        queue.asyncAfter(deadline: .now() + delay) {
            let isRunning = self.state.withLock { state in
                guard state.current == statement, let handle = unsafe state.handle else { return false }
                unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                    // What it returns does not matter: if the request could not be sent, the next one may be.
                    _ = unsafe PQcancel(handle, buffer.baseAddress, Int32(buffer.count))
                }
                return true
            }
            if isRunning {
                self.send(statement, after: .milliseconds(200))
            }
        }
    }
}
