import Foundation
import Synchronization
import UnixSignals

/// How a run that could be interrupted came to its end.
struct InterruptibleOutcome<Success: Sendable>: Sendable {
    /// What the run returned or threw, after it had cleaned up.
    let result: Result<Success, any Error>
    /// The signal that cancelled the run; nil when it was left alone.
    let signal: UnixSignal?
}

/// Runs `body` until it ends by itself or a signal cancels it.
///
/// The first SIGINT or SIGTERM cancels the task that runs `body` and then waits, so that queries are cancelled, uploads
/// aborted and temporary files removed. A second one ends the program on the spot.
///
/// - Parameters:
///   - onSignal: Called at the first signal, before the cancellation.
///   - onSecondSignal: Called right before the program ends at once.
///   - body: The run.
/// - Returns: The run's result, and the signal if there was one.
func withInterruption<Success: Sendable>(
    onSignal: @escaping @Sendable (UnixSignal) -> Void,
    onSecondSignal: @escaping @Sendable () -> Void,
    _ body: @escaping @Sendable () async throws -> Success
) async -> InterruptibleOutcome<Success> {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let received = ReceivedSignal()
    let job = Task { try await body() }
    let watcher = Task {
        for await signal in signals {
            guard received.record(signal) else {
                onSecondSignal()
                _exit(ExitStatus.interrupted(by: signal).code)
            }
            onSignal(signal)
            job.cancel()
        }
    }
    let result = await job.result
    watcher.cancel()
    return InterruptibleOutcome(result: result, signal: received.signal)
}

/// The first signal that came, shared between the run and its watcher.
private final class ReceivedSignal: Sendable {
    private let state = Mutex<UnixSignal?>(nil)

    var signal: UnixSignal? {
        state.withLock { $0 }
    }

    /// Keeps the signal; false when there was one before.
    func record(_ signal: UnixSignal) -> Bool {
        state.withLock { state in
            guard state == nil else { return false }
            state = signal
            return true
        }
    }
}
