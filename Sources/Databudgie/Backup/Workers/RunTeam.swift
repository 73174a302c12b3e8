import Postgres

/// The members of a run: the leader, whose transaction has the run's snapshot and locks, and workers that join it.
struct RunTeam {
    let leader: DatabaseSession
    let run: RunJobs
    /// How many members there are to be, with the leader.
    let count: Int

    /// How a member has ended.
    private enum Ending: Sendable {
        case worker
        /// No job is left.
        case leader
        case failed(any Error)
    }

    private var recorder: RunRecorder { leader.recorder }

    /// Exports all jobs of the list.
    ///
    /// - Throws: What ends the run, when all members have ended.
    func work() async throws {
        let snapshot = count > 1 ? try await SharedSnapshot(of: leader.connection) : nil
        let failure = await withTaskGroup(of: Ending.self) { group in
            group.addTask { await Self.ending(as: .leader) { try await member(leader, isLeader: true).work() } }
            if let snapshot {
                for _ in 1..<count {
                    group.addTask { await Self.ending(as: .worker) { try await work(with: snapshot) } }
                }
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

    private func member(_ session: DatabaseSession, isLeader: Bool) -> RunMember {
        RunMember(session: session, run: run, isLeader: isLeader)
    }

    /// Joins the run over a connection of its own, and works; without a connection the run has one worker less.
    ///
    /// - Throws: What ends the run.
    private func work(with snapshot: SharedSnapshot) async throws {
        guard run.list.isWaiting else { return }
        var result: Result<Void, any Error>?
        do {
            try await leader.session.withDatabase(at: leader.connection.server) { session in
                try await session.withTransaction(
                    .snapshot,
                    beforeSnapshot: { try await snapshot.join(over: session.connection) },
                    {
                        try await snapshot.withMember(over: session.connection) {
                            do {
                                try await member(session, isLeader: false).work()
                                result = .success(())
                            } catch {
                                result = .failure(error)
                            }
                        }
                    }
                )
            }
        } catch {
            // Without a result it has not begun; with one, its transaction has read all that it was to read.
            if result == nil, !Task.isCancelled, run.list.isWaiting {
                recorder.found(.note("one table less is exported at once: \(ErrorText(error).message)"))
            }
        }
        try result?.get()
    }
}
