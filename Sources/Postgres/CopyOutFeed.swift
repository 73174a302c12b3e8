import Synchronization

/// The chunks of a COPY … TO STDOUT between the connection's thread, which reads ahead, and the task that takes them.
///
/// A task that finds a chunk here does not wait for the thread, and the thread continues to read while the task works. What
/// is read ahead is bounded: eight chunks, or the bytes of eight full ones and the row that exceeds them. Reading resumes
/// when half of the chunks have been taken: fewer and longer runs wake fewer threads.
final class CopyOutFeed: Sendable {
    /// How many chunks are read ahead.
    static let capacity = 8

    private struct State {
        var chunks: [RowChunk] = []
        var bytes = 0
        /// The end of the sequence, behind the chunks.
        var end: Result<Void, PostgresError>?
        /// The connection's thread reads, or will soon.
        var isReading = false
        /// Tasks that wait for a chunk or the end, while the connection's thread is reading.
        var waiting: [CheckedContinuation<Void, Never>] = []

        var isReady: Bool { !chunks.isEmpty || end != nil }
    }

    /// What a task finds.
    private enum Found {
        case outcome(Result<RowChunk?, PostgresError>)
        case nothingYet
    }

    private let state = Mutex(State())
    private let maximumBytes: Int

    /// Creates an empty feed.
    ///
    /// - Parameter chunkSize: The bytes after which a chunk is full.
    init(chunkSize: Int) {
        maximumBytes = min(max(1, chunkSize), 1 << 40) * Self.capacity
    }

    /// Takes the next chunk, and waits for it if none has arrived.
    ///
    /// - Parameter startReading: Has the connection's thread read; called when it does not, and there is room.
    /// - Returns: The chunk, nil after the last one, or why there are no more.
    func next(_ startReading: () -> Void) async -> Result<RowChunk?, PostgresError> {
        while true {
            let (found, mustStart) = state.withLock { state in
                let found = Self.take(from: &state)
                let mustStart = !state.isReading && state.end == nil && state.chunks.count <= Self.capacity / 2
                if mustStart { state.isReading = true }
                return (found, mustStart)
            }
            if mustStart { startReading() }
            if case .outcome(let outcome) = found { return outcome }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.isReady { state.waiting.append(continuation) }
                    return state.isReady
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Adds a chunk; called by the connection's thread.
    ///
    /// - Parameter chunk: The next rows.
    /// - Returns: Whether there is room for another one; if not, reading has stopped.
    func add(_ chunk: RowChunk) -> Bool {
        change { state in
            guard state.end == nil else { return false }
            state.chunks.append(chunk)
            state.bytes += chunk.bytes.count
            state.isReading = state.chunks.count < Self.capacity && state.bytes < maximumBytes
            return state.isReading
        }
    }

    /// Ends the sequence behind the chunks that have arrived; called by the connection's thread.
    ///
    /// - Parameter failure: Why rows are missing; nil if none are.
    func end(_ failure: PostgresError?) {
        change { state in
            state.end = state.end ?? failure.map { .failure($0) } ?? .success(())
            state.isReading = false
        }
    }

    /// Ends the sequence at once, and drops what has arrived: nobody can have all of the rows any more.
    ///
    /// - Parameter failure: Why.
    func abandon(_ failure: PostgresError) {
        change { state in
            state.chunks = []
            state.bytes = 0
            state.end = state.end ?? .failure(failure)
            state.isReading = false
        }
    }

    private static func take(from state: inout State) -> Found {
        guard state.chunks.isEmpty else {
            let chunk = state.chunks.removeFirst()
            state.bytes -= chunk.bytes.count
            return .outcome(.success(chunk))
        }
        return state.end.map { .outcome($0.map { nil }) } ?? .nothingYet
    }

    /// Changes the state and wakes those who wait for it.
    private func change<Answer: Sendable>(_ body: (inout sending State) -> Answer) -> Answer {
        let (answer, woken) = state.withLock { state in
            let answer = body(&state)
            let woken = state.isReady ? state.waiting : []
            if state.isReady { state.waiting = [] }
            return (answer, woken)
        }
        woken.forEach { $0.resume() }
        return answer
    }
}
