import Databudgie
import Dispatch
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
/// The first SIGINT, SIGTERM or SIGHUP cancels the task that runs `body` and then waits, so queries are cancelled, uploads
/// aborted and temporary files removed. A second one, or one that comes after the end, ends the program at once: whatever else
/// hangs, nobody has to use SIGKILL. A server that does not answer and a reader of standard error that does not read are not
/// waited for any longer than some seconds after the first one.
///
/// - Parameters:
///   - onSignal: Called after the cancellation by the first signal; it may block.
///   - body: The run.
/// - Returns: The run's result, and the signal if there was one.
func withInterruption<Success: Sendable>(
    onSignal: @escaping @Sendable (UnixSignal) -> Void,
    _ body: @escaping @Sendable () async throws -> Success
) async -> InterruptibleOutcome<Success> {
    let signals = await UnixSignalsSequence(trapping: [.sigint, .sigterm] + (isHangupIgnored ? [] : [.sighup]))
    let progress = Interruption()
    let reaction = DispatchQueue(label: "databudgie.reaction")
    let job = Task { try await body() }
    // Never cancelled: signals that come while the program writes its last words need an answer, too.
    Task(executorPreference: SignalExecutor()) {
        for await signal in signals {
            guard progress.begin(signal) else { _exit(ExitStatus.interrupted(by: signal).code) }
            StandardStream.stopWaiting(after: .seconds(2))
            reaction.async {
                job.cancel()
                #if DATABUDGIE_FAIL_POINTS
                    FailPointSignals.arrive()
                #endif
                onSignal(signal)
            }
        }
    }
    let result = await job.result
    let signal = progress.end()
    // What the signal has to say comes before the last words of the run.
    await withCheckedContinuation { continuation in reaction.async { continuation.resume() } }
    return InterruptibleOutcome(result: result, signal: signal)
}

/// The program is to outlive its terminal, as `nohup` asks.
private var isHangupIgnored: Bool {
    var action = sigaction()
    guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// A thread for signals alone: those of the concurrency pool may all be waiting to write to standard error.
private final class SignalExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "databudgie.signals")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// How far an interruption has come, shared between the run and its watcher.
private final class Interruption: Sendable {
    private struct State {
        var signal: UnixSignal?
        var isOver = false
    }

    private let state = Mutex(State())

    /// Keeps the first signal; false when there was one before, or when the run has ended.
    func begin(_ signal: UnixSignal) -> Bool {
        state.withLock { state in
            guard state.signal == nil, !state.isOver else { return false }
            state.signal = signal
            return true
        }
    }

    /// Lets the next signal end the program, and returns the one that interrupted the run.
    func end() -> UnixSignal? {
        state.withLock { state in
            state.isOver = true
            return state.signal
        }
    }
}
