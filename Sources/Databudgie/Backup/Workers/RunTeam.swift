import Postgres

/// The members of a run: the leader, whose transaction has the run's snapshot and locks, and workers that join it.
struct RunTeam {
    let leader: DatabaseSession
    let run: RunJobs
    /// How many members there are to be, with the leader.
    let count: Int

    private var recorder: RunRecorder { leader.recorder }

    /// Exports all jobs of the list.
    ///
    /// - Throws: What ends the run, when all members have ended.
    func work() async throws {
        let snapshot = count > 1 ? try await SharedSnapshot(of: leader.connection) : nil
        var failure: (any Error)?
        do {
            try await Members.run(workers: snapshot == nil ? 0 : count - 1) {
                let member = member(leader, isLeader: true)
                try await member.work()
                try await run.definitions.finish(over: leader) { try await member.mayIdle() }
            } worker: {
                if let snapshot { try await work(with: snapshot) }
            }
        } catch {
            failure = error
        }
        await run.list.discardUnfinished()
        if let failure { throw failure }
    }

    private func member(_ session: DatabaseSession, isLeader: Bool) -> RunMember {
        RunMember(session: session, run: run, isLeader: isLeader)
    }

    /// Joins the run over a connection of its own, and works; without a connection the run has one worker less.
    ///
    /// - Throws: What ends the run.
    private func work(with snapshot: SharedSnapshot) async throws {
        guard run.list.isWaiting || run.definitions.isWaiting else { return }
        var result: Result<Void, any Error>?
        do {
            try await leader.session.withDatabase(at: leader.connection.server) { session in
                try await session.withTransaction(
                    .snapshot,
                    beforeSnapshot: { try await snapshot.join(over: session.connection) },
                    {
                        try await snapshot.withMember(over: session.connection) {
                            do {
                                let member = member(session, isLeader: false)
                                if try await member.exportDefinitions() { try await member.work() }
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
