/// The members of a run, which work at the same time: a leader, whose connection the run needs to its end, and workers.
enum Members {
    /// How a member has ended.
    private enum Ending: Sendable {
        case worker, leader
        case failed(any Error)
    }

    /// Has all members work, until the leader has ended.
    ///
    /// - Parameters:
    ///   - workers: How many there are beside the leader.
    ///   - leader: Returns when nothing is left to do, or being done.
    ///   - worker: Its failure ends the run as well.
    /// - Throws: What ends the run, when all members have ended.
    static func run(
        workers: Int,
        leader: @escaping @Sendable () async throws -> Void,
        worker: @escaping @Sendable () async throws -> Void
    ) async throws {
        let failure = await withTaskGroup(of: Ending.self) { group in
            group.addTask { await ending(as: .leader, leader) }
            for _ in 0..<workers {
                group.addTask { await ending(as: .worker, worker) }
            }
            var failure: (any Error)?
            var isDone = false
            for await ending in group {
                switch ending {
                case .worker: continue
                case .leader: isDone = true
                // A member that was interrupted says nothing of the reason.
                case .failed(let error): if failure == nil || failure is CancellationError { failure = error }
                }
                // The others have nothing to do any more; some may still wait for a connection.
                group.cancelAll()
            }
            return isDone ? nil : failure
        }
        if let failure { throw failure }
    }

    private static func ending(as ending: Ending, _ body: () async throws -> Void) async -> Ending {
        do {
            try await body()
            return ending
        } catch {
            return .failed(error)
        }
    }
}
