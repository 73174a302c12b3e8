import Postgres

/// The members that load one file into one new table at the same time.
///
/// A member takes run after run of the file's segments, all in one transaction of its own. Nothing is committed before all rows
/// are there and counted. When something fails, what was done is undone, and the file is left to one member, whose failure then
/// says where in the file the trouble is.
struct DivisionTeam {
    let restore: CheckedRestore
    let group: LoadGroup
    let load: DividedLoad
    let moment: ServerMoment
    /// How many members there are to be, with the leader.
    let count: Int

    private var leader: DatabaseSession { restore.session }
    private var recorder: RunRecorder { leader.recorder }
    private var job: RestoreJob { load.job }

    /// Who waits for a lock on the table leaves it to one member, which says whose lock it is.
    private static let patience = "2s"

    /// Loads the file.
    ///
    /// - Returns: What became of the job; nil when the table is empty again, and one member has to load it.
    /// - Throws: `PostgresError` when the leader's connection was lost; `CancellationError`.
    func run() async throws -> JobResult? {
        let start = ContinuousClock.now
        recorder.started(job.id)
        recorder.found(.note("loaded in \(load.runs.count) parts, by several connections", of: job.id))
        let meter = TransferMeter { [recorder, job] in recorder.progressed(job.id, $0) }
        let end = JointEnd(count: load.runs.count)
        do {
            try await loadAll(meter, end)
        } catch let failure as JointEnd.WorkerFailure {
            return try await undo(failure.error, end)
        } catch {
            try endIfLost(error, end)
            return try await undo(error, end)
        }
        return restore.loader.report([try restore.loader.outcome(of: job, meter.totals, since: start)]).first
    }

    private func loadAll(_ meter: TransferMeter, _ end: JointEnd) async throws {
        if job.truncate != .keep {
            try await leader.withTransaction(.writing) {
                try await limitPatience(of: leader)
                try await leader.connection.execute("truncate table only \(job.relation.name.quoted)")
            }
        }
        try await Members.run(workers: count - 1) {
            do {
                try await leader.withTransaction(.writing) {
                    let locks = RestoreLocks(connection: leader.connection, catalog: restore.loader.catalog)
                    try await locks.take([job.relation])
                    try await loadRuns(over: leader, meter, end)
                    try await end.commitWorkers { _ = try await leader.connection.query("select 1") }
                    await FailPoint.reached(.divisionUncommitted)
                    end.commitLeader()
                }
            } catch {
                end.abandon(error)
                throw error
            }
            await FailPoint.reached(.groupCommitted)
        } worker: {
            try await leader.withWorker(at: moment, without: "one part less is loaded at once") { session in
                try await work(over: session, meter, end)
            }
        }
    }

    private func work(over session: DatabaseSession, _ meter: TransferMeter, _ end: JointEnd) async throws {
        guard end.join() else { return }
        var hasWorked = false
        do {
            try await session.withTransaction(.writing) {
                try await loadRuns(over: session, meter, end)
                hasWorked = true
                try await end.waitForCommit()
            }
            end.end(nil, hadWorked: true)
        } catch {
            // It is the leader who says so.
            end.end(error, hadWorked: hasWorked)
        }
    }

    private func loadRuns(over session: DatabaseSession, _ meter: TransferMeter, _ end: JointEnd) async throws {
        try await limitPatience(of: session)
        let loader = try restore.loader.over(session, isExpendable: true).loader(of: job)
        while let number = end.next() {
            try Task.checkCancellation()
            try await loader.load(load.runs[number], meter)
        }
    }

    private func limitPatience(of session: DatabaseSession) async throws {
        // It idles while it waits for the others.
        try await session.connection.execute(
            "set local lock_timeout = '\(Self.patience)'; set local idle_in_transaction_session_timeout = 0"
        )
    }

    /// Ends the run when the leader's connection is lost.
    ///
    /// - Throws: The error.
    private func endIfLost(_ error: any Error, _ end: JointEnd) throws {
        guard FailureScope(of: error) == .run else { return }
        let failure = GroupFailure(job: job.id, error: error)
        if end.mayBeCommitted {
            restore.loader.report(GroupFailure(job: job.id, error: Self.remains(after: error)))
        } else if end.isLeaderCommitting {
            restore.loader.reportUncertain(group, failure)
        } else {
            restore.loader.report(failure)
        }
        throw error
    }

    private static func remains(after error: any Error) -> DatabudgieError {
        DatabudgieError(
            .database,
            "a part of its rows may be there: \(ErrorText(error).message)",
            hint: "empty the table before it is restored again",
            underlying: error
        )
    }

    /// Empties the table again if a part of its rows may be there.
    ///
    /// - Returns: nil, so that one member loads it; the failure of the job when the table could not be emptied.
    /// - Throws: `CancellationError`.
    private func undo(_ error: any Error, _ end: JointEnd) async throws -> JobResult? {
        var result: JobResult?
        if end.mayBeCommitted {
            let (leader, name) = (leader, job.relation.name.quoted)
            do {
                // A task of its own, because the run may have been cancelled.
                try await Task {
                    try await leader.withTransaction(.writing) {
                        try await leader.connection.execute("set local lock_timeout = '30s'")
                        try await leader.connection.execute("truncate table only \(name)")
                    }
                }.value
            } catch {
                result = restore.loader.report(GroupFailure(job: job.id, error: Self.remains(after: error)))
            }
        }
        guard FailureScope(of: error) != .interruption else { throw CancellationError() }
        if result == nil {
            recorder.found(.note("\(ErrorText(error).message): loading it again, over one connection", of: job.id))
        }
        return result
    }
}
