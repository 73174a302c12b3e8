import Postgres

/// A member of a restore: takes groups of tables and loads them over its own connection.
struct LoadMember: Sendable {
    let restore: CheckedRestore
    let session: DatabaseSession
    let ledger: LoadLedger
    /// The run ends with its connection.
    let isLeader: Bool

    private var loader: GroupLoader {
        var loader = restore.loader
        (loader.session, loader.isExpendable) = (session, !isLeader)
        return loader
    }

    /// Takes groups until none is left for the member, or its connection is lost.
    ///
    /// - Throws: What ends the run; `CancellationError`.
    func work() async throws {
        while let number = try await ledger.queue.next(isLeader: isLeader) {
            guard try await load(number) else { return }
        }
    }

    /// Loads a group; a failed one stops the others only when it is strict.
    ///
    /// - Returns: False when the connection is lost.
    private func load(_ number: Int) async throws -> Bool {
        let group = restore.plan.groups[number]
        if let cause = ledger.cause(of: number) {
            ledger.add(restore.fail(group, dependingOn: cause), of: number)
            end(number, group, failedJob: cause)
            return true
        }
        do {
            let (results, failedJob) = try await loader.run(group)
            ledger.add(results, of: number)
            let isSet = failedJob == nil ? try await setSequences(of: group, number) : true
            end(number, group, failedJob: failedJob)
            return isSet
        } catch let lost as LostGroup {
            lose(lost, group, number)
            return false
        }
    }

    private func end(_ number: Int, _ group: LoadGroup, failedJob: JobID?) {
        ledger.end(number, failedJob: failedJob, isStrict: session.settings.isStrict || group.isStrict)
    }

    /// Sets the sequences of a group that is committed.
    ///
    /// - Returns: False when the connection is lost, and the leader has to do it.
    private func setSequences(of group: LoadGroup, _ number: Int) async throws -> Bool {
        do {
            let results = try await ledger.sequences.take { try await restore.setSequences(of: group, over: session) }
            ledger.add(results, of: number)
            return true
        } catch {
            guard !isLeader, FailureScope(of: error) == .run else { throw error }
            ledger.leaveSequences(of: number)
            return false
        }
    }

    /// Leaves a group to another member when it certainly was rolled back, for the first time.
    private func lose(_ lost: LostGroup, _ group: LoadGroup, _ number: Int) {
        let text = ErrorText(lost.failure.error)
        if !lost.isCommitting {
            if ledger.handOver(number) {
                session.recorder.found(
                    .warning("\(text.message): loading it again, over another connection", of: lost.failure.job)
                )
                return
            }
            ledger.add(loader.reportRolledBack(group, by: lost.failure), of: number)
            return end(number, group, failedJob: lost.failure.job)
        }
        let results = group.jobs.map { job in
            let error = DatabudgieError(
                .database,
                "\(text.message), while its rows were committed: they may be there or not",
                hint: "look at the table before it is restored again",
                underlying: lost.failure.error
            )
            return session.recorder.ended(.failed(JobFailure(job.id, error)))
        }
        ledger.add(results, of: number)
        end(number, group, failedJob: lost.failure.job)
    }
}
