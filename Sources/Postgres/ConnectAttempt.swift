import CLibpq
import Synchronization

/// An attempt to connect that can be abandoned at once, even while libpq waits for a name server.
///
/// The first of the two, handshake or cancellation, resumes the waiting task; a connection that comes too late is closed.
final class ConnectAttempt: Sendable {
    /// What a handshake ends with.
    typealias Outcome = Result<EstablishedConnection, PostgresError>

    private enum State {
        case waiting(CheckedContinuation<Outcome, Never>?)
        case cancelled
        case finished
    }

    private let state = Mutex(State.waiting(nil))

    /// Whether the caller has stopped waiting.
    var isCancelled: Bool {
        state.withLock { if case .cancelled = $0 { true } else { false } }
    }

    /// Runs a handshake elsewhere and waits for it.
    ///
    /// - Parameters:
    ///   - executor: Where the blocking work is done.
    ///   - handshake: The blocking work; it checks ``isCancelled`` from time to time.
    /// - Returns: The connection.
    /// - Throws: The handshake's error, or ``PostgresError/Code/cancelled`` as soon as the task is cancelled.
    func run(
        on executor: SerialQueueExecutor,
        handshake: @escaping @Sendable (ConnectAttempt) -> Outcome
    ) async throws(PostgresError) -> EstablishedConnection {
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    guard case .waiting = state else { return true }
                    state = .waiting(continuation)
                    return false
                }
                guard !isCancelled else {
                    return continuation.resume(returning: .failure(.cancelled))
                }
                executor.perform {
                    self.finish(handshake(self))
                }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
                guard case .waiting(let continuation) = state else { return nil }
                state = .cancelled
                return continuation
            }
            continuation?.resume(returning: .failure(.cancelled))
        }
        return try outcome.get()
    }

    private func finish(_ outcome: Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard case .waiting(let continuation) = state else { return nil }
            state = .finished
            return continuation
        }
        if let continuation {
            continuation.resume(returning: outcome)
        } else if case .success(let connection) = outcome {
            connection.close()
        }
    }
}

/// A libpq connection on its way from the thread that opened it to the actor that owns it.
@safe
struct EstablishedConnection: @unchecked Sendable {
    // Unchecked: it is created on one thread and handed over exactly once, through ConnectAttempt's mutex; its creator
    // keeps no copy, and only the receiver uses it, one thread at a time.

    /// The handle, never nil.
    let handle: OpaquePointer
    /// Where libpq delivers notices; retained for as long as the handle lives.
    let notices: NoticeReceiver

    /// Closes the connection and frees it.
    func close() {
        unsafe PQfinish(handle)
    }
}
