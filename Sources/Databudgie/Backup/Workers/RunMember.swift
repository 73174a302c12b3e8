import Postgres
import Storage

/// A member of a run: takes jobs from the list and exports them over its own connection, in the run's snapshot.
struct RunMember: Sendable {
    let session: DatabaseSession
    let run: RunJobs
    /// Its transaction has taken the run's locks, and gets those at once that others have to wait for.
    let isLeader: Bool

    var recorder: RunRecorder { session.recorder }

    /// How long a worker waits for a lock.
    ///
    /// Another session that waits for the leader's lock on a table would have a worker wait behind it for ever, because the
    /// leader ends last, and the server cannot know. pg_dump's workers fail then; ours leave the job to the leader.
    private static let patience = "200ms"

    /// Takes jobs until none is left for the member, or its connection is lost.
    ///
    /// - Throws: What ends the run; `CancellationError`.
    func work() async throws {
        guard !run.publishesMeanwhile else { return try await workPublishing() }
        while let piece = try await next() {
            let isConnected =
                switch piece {
                case .whole(let job): try await export(job)
                case .range(let split, let index): try await export(index, of: split)
                }
            guard isConnected else { return }
        }
    }

    /// Exports the definitions, unless another member does.
    ///
    /// - Returns: False when the connection is lost.
    /// - Throws: What ends the run; `CancellationError`.
    func exportDefinitions() async throws -> Bool {
        guard run.definitions.isWaiting else { return true }
        // It is idle while pg_dump runs, which has the same patience with locks.
        try await mayIdle()
        try await session.connection.execute("set local lock_timeout = '30s'")
        guard try await run.definitions.run(over: session) else { return false }
        try await session.connection.execute("set local lock_timeout = 0")
        return true
    }

    func next() async throws -> JobPiece? {
        guard isLeader else { return run.list.next() }
        return try await run.list.nextForLeader { try await mayIdle() }
    }

    /// Keeps the server from ending the transaction of the leader, whose locks are needed while it waits for others.
    func mayIdle() async throws {
        guard session.settings.idleInTransactionTimeout != nil else { return }
        try await session.connection.execute("set local idle_in_transaction_session_timeout = 0")
    }

    /// Exports a job; a failed one stops the others only when it is strict.
    ///
    /// - Returns: False when the connection is lost.
    private func export(_ job: BackupJob) async throws -> Bool {
        guard let export = begin(job) else { return true }
        do {
            try await finish(job, try await export.run())
        } catch {
            return try failed(job, error)
        }
        warnOfAge()
        return true
    }

    /// Begins a job, unless its file is there.
    func begin(_ job: BackupJob) -> JobExport? {
        if let (skipped, path) = run.existing.kept(job) {
            run.written.add(job, keptAt: path)
            run.list.end(with: recorder.ended(.skipped(skipped)))
            return nil
        }
        if run.list.begin(job.id) { recorder.started(job.id) }
        return export(of: job)
    }

    /// What exports a job over the member's connection.
    func export(of job: BackupJob) -> JobExport {
        JobExport(
            session: session,
            job: job,
            catalog: run.catalog,
            states: run.states,
            defined: run.defined,
            written: run.written,
            subset: run.subset,
            lockTimeout: isLeader ? nil : Self.patience
        )
    }

    /// Records a job whose files are published.
    func finish(_ job: BackupJob, _ outcome: JobOutcome) async throws {
        run.written.add(job, outcome)
        if let recorded = run.recordedRun, !recorded.isDryRun {
            try run.commitment.commit()
            try await recorded.record(published: job, outcome)
        }
        run.list.end(with: recorder.ended(.finished(outcome)))
    }

    func warnOfAge() {
        if run.list.isWaiting, let warning = run.age.warning() { recorder.found(warning) }
    }

    /// Finds out what the failure of a job ends.
    ///
    /// - Returns: False when the connection is lost, and nothing else.
    /// - Throws: What ends the run.
    func failed(_ job: BackupJob, _ error: any Error) throws -> Bool {
        try giveWay(job, error)
        let scope = FailureScope(of: error)
        if !isLeader, scope != .interruption, let isLost = handsOver(job, error) {
            run.list.handOver(.whole(job))
            return !isLost
        }
        if scope == .job, job.isStrict { run.list.stop(after: job.id) }
        if scope != .interruption { run.list.end(with: recorder.ended(.failed(JobFailure(job.id, error)))) }
        try rethrowUnlessJobFailed(error)
        return true
    }

    /// Ends the run when it is to begin again, under another name or from another snapshot.
    ///
    /// - Throws: What says so.
    func giveWay(_ job: BackupJob, _ error: any Error) throws {
        // What the manifest has recorded stays.
        if run.givesWay, job.isUniquePath, let error = error as? StorageError, error.code == .alreadyExists,
            run.commitment.giveWay()
        {
            throw PathIsTaken(message: error.message)
        }
        if run.givesUpOnConflict, let conflict = RecoveryConflict(error), run.commitment.giveWay() { throw conflict }
    }

    /// Says that a job, or a range of it, is left to the leader, when it may succeed there.
    ///
    /// - Returns: Whether the connection is lost; nil when it would fail there as well.
    func handsOver(_ job: BackupJob, _ error: any Error) -> Bool? {
        if LockConflict(of: error) == .timeout {
            recorder.found(
                .note(
                    "another session waits for a lock on it: it is exported by the connection that has one",
                    of: job.id
                )
            )
            return false
        }
        guard let code = (error as? PostgresError)?.code, [.connectionLost, .connectionUnavailable].contains(code)
        else {
            return nil
        }
        recorder.found(
            .warning("\(ErrorText(error).message): exporting it again, over another connection", of: job.id)
        )
        return true
    }
}
