import Synchronization

/// A value that several tasks read and change, and whose changes they can wait for.
final class Watched<Value: Sendable>: Sendable {
    private struct Content {
        var value: Value
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let content: Mutex<Content>

    init(_ value: Value) {
        content = Mutex(Content(value: value))
    }

    /// Reads the value, or changes what nobody waits for.
    ///
    /// - Parameter body: Receives the value.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    func withLock<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try content.withLock { try body(&$0.value) }
    }

    /// Changes the value, and has those look again who wait.
    ///
    /// - Parameter body: Receives the value; when it throws, nobody is told.
    /// - Throws: What the body throws.
    func change(_ body: (inout Value) throws -> Void) rethrows {
        let waiting = try content.withLock { content in
            try body(&content.value)
            defer { content.waiting = [] }
            return content.waiting
        }
        waiting.forEach { $0.finish() }
    }

    /// Waits until the value answers.
    ///
    /// - Parameter answer: Receives the value, now and after each change, and may change it; nil: not yet.
    /// - Returns: The answer.
    /// - Throws: `CancellationError` when the task was cancelled while it waited.
    func wait<Answer: Sendable>(for answer: (inout Value) -> Answer?) async throws -> Answer {
        while true {
            let (found, changes) = content.withLock { content -> (Answer?, AsyncStream<Void>?) in
                if let found = answer(&content.value) { return (found, nil) }
                let (changes, change) = AsyncStream.makeStream(of: Void.self)
                content.waiting.append(change)
                return (nil, changes)
            }
            if let found { return found }
            if let changes { for await _ in changes { break } }
            try Task.checkCancellation()
        }
    }
}
