import CLibpq
import Dispatch
import Glibc
import Synchronization

/// Cancels the statement that a connection runs, from any thread, and ends a connection whose server does not obey.
///
/// Each statement has a number, so a late cancellation never hits the statement after it.
@safe
final class Canceller: @unchecked Sendable {
    // Unchecked: `handle` never changes, and PQcancel is thread-safe (Postgres documentation, 34.7); deinit runs when no
    // block refers to `self`. Everything else is Sendable by itself.

    /// The number of a statement.
    typealias StatementID = UInt64

    /// How long a server may take to stop a statement that the user has cancelled.
    static let patience = DispatchTimeInterval.seconds(5)
    /// The same for a statement that merely is not needed any more: a busy server keeps its connection.
    static let longPatience = DispatchTimeInterval.seconds(60)

    private struct State {
        var current: StatementID?
        var last: StatementID = 0
        /// A cancellation of the statement that began last was requested.
        var hasRequest = false
        /// When the connection is ended unless the statement is over.
        var deadline: DispatchTime?
        var isBroken = false
        // libpq may close its own at any time, and its number would then be that of another file.
        /// A descriptor of ours for the connection's socket; -1 once it is closed.
        var socket: Int32
    }

    private let state: Mutex<State>
    /// A thread for PQcancel, which has no time limit: it may hang for minutes in a network that swallows packets.
    private let queue = DispatchQueue(label: "databudgie.postgres.cancel")
    /// The requests that PQcancel is sending.
    private let requests = DispatchGroup()
    private let handle: OpaquePointer?

    /// Ends connections in time; nothing on it blocks.
    private static let watchdog = DispatchQueue(label: "databudgie.postgres.watchdog")

    /// Creates a canceller.
    ///
    /// - Parameters:
    ///   - handle: What PQgetCancel returned; owned by the canceller from now on.
    ///   - socket: The connection's socket, which stays libpq's.
    @unsafe
    init(handle: OpaquePointer?, socket: Int32) {
        unsafe self.handle = unsafe handle
        state = Mutex(State(socket: fcntl(socket, F_DUPFD_CLOEXEC, 0)))
    }

    deinit {
        release()
        unsafe PQfreeCancel(handle)
    }

    /// Records that a statement is about to be sent.
    ///
    /// - Returns: Its number.
    func begin() -> StatementID {
        state.withLock { state in
            state.last += 1
            state.current = state.last
            state.hasRequest = false
            state.deadline = nil
            return state.last
        }
    }

    /// Records that a statement has ended, and waits for a cancellation of it that is being sent.
    ///
    /// A request that does not come to its end in time could hit the next statement: there will be none on this connection
    /// then, see ``isBroken``.
    func end(_ statement: StatementID) {
        let deadline = state.withLock { state -> DispatchTime? in
            guard state.current == statement else { return nil }
            state.current = nil
            return state.hasRequest ? state.deadline : nil
        }
        guard let deadline, requests.wait(timeout: deadline) == .timedOut else { return }
        state.withLock { Self.breakOff(&$0) }
    }

    /// Whether a cancellation of the statement that began last was requested.
    var isRequested: Bool {
        state.withLock { $0.hasRequest }
    }

    /// Whether the connection was ended here, because its server did not stop a cancelled statement.
    var isBroken: Bool {
        state.withLock { $0.isBroken }
    }

    /// Cancels a statement, unless it has ended; returns at once.
    ///
    /// - Parameters:
    ///   - statement: Its number; nil for the one that runs now.
    ///   - patience: How long the server may take before the connection is ended.
    func cancel(_ statement: StatementID? = nil, within patience: DispatchTimeInterval = Canceller.patience) {
        let found = state.withLock { state -> (statement: StatementID, isFirst: Bool)? in
            guard let current = state.current, statement == nil || statement == current else { return nil }
            defer { state.hasRequest = true }
            return (current, !state.hasRequest)
        }
        guard let found else { return }
        limit(found.statement, to: patience)
        if found.isFirst { queue.async { self.send(found.statement) } }
    }

    /// Ends the connection if a statement is not over in time, without asking the server to stop it.
    ///
    /// - Parameters:
    ///   - statement: Its number.
    ///   - patience: How long it may take from now on.
    func limit(_ statement: StatementID, to patience: DispatchTimeInterval) {
        let deadline = DispatchTime.now() + patience
        state.withLock { state in
            guard state.current == statement else { return }
            state.deadline = min(state.deadline ?? deadline, deadline)
        }
        Self.watchdog.asyncAfter(deadline: deadline) { [weak self] in
            self?.state.withLock { state in
                if state.current == statement { Self.breakOff(&state) }
            }
        }
    }

    /// Gives up the descriptor of the socket; to be called when libpq's connection has ended.
    func release() {
        state.withLock { state in
            if state.socket >= 0 { close(state.socket) }
            state.socket = -1
        }
    }

    /// Ends the connection: whoever waits for the server in libpq, in whatever call, sees the end of the stream.
    private static func breakOff(_ state: inout State) {
        state.isBroken = true
        if state.socket >= 0 { _ = shutdown(state.socket, Int32(SHUT_RDWR)) }
    }

    /// Sends the request, and again until the statement has ended; called on the queue.
    ///
    /// A server ignores a request that overtakes the statement, so one is not enough.
    private func send(_ statement: StatementID) {
        guard let handle = unsafe handle else { return }
        let isRunning = state.withLock { state in
            guard state.current == statement else { return false }
            requests.enter()
            return true
        }
        guard isRunning else { return }
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // Its return value does not matter: if the request could not be sent, the next one may be.
            _ = unsafe PQcancel(handle, buffer.baseAddress, Int32(buffer.count))
        }
        requests.leave()
        queue.asyncAfter(deadline: .now() + .milliseconds(200)) { [weak self] in
            self?.send(statement)
        }
    }
}
