import Dispatch

/// Runs calls that block on a disk beside Swift's cooperative threads, which must never wait.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "databudgie.files", attributes: .concurrent)

    /// Runs a closure to its end, whether or not the task is cancelled meanwhile.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
