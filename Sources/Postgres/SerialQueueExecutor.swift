import Dispatch

/// A serial executor on a dispatch queue of its own, where blocking calls do not hold up other tasks.
final class SerialQueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    /// Creates an executor.
    ///
    /// - Parameter label: The queue's name for debuggers.
    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // An unowned job must be run exactly once, and a queue runs what it is given exactly once.
        queue.async {
            unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    /// Runs blocking work on the queue, outside of any task.
    func perform(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }
}
