import Postgres
import Storage

/// The members of a restore: the leader, over whose connection it was planned, and workers.
///
/// Each takes group after group, and loads it in a transaction of its own.
struct LoadTeam: Sendable {
    let restore: CheckedRestore

    private var leader: DatabaseSession { restore.session }
    private var recorder: RunRecorder { leader.recorder }
    private var groups: [LoadGroup] { restore.plan.groups }

    /// Loads all groups.
    ///
    /// - Returns: What has become of them, in the order of the plan.
    /// - Throws: `CancellationError`, and `PostgresError` when the leader's connection was lost.
    func load() async throws -> CheckedRestore.Progress {
        let sizes = groups.map { $0.jobs.reduce(0) { $0 + $1.contentBytes } }
        let count = try await count(sizes)
        let ledger = LoadLedger(pieces(count > 1 ? sizes : nil))
        let moment = count > 1 ? try await ServerMoment(of: leader.connection) : nil
        try await Members.run(workers: count - 1) {
            try await member(leader, ledger, isLeader: true).work()
        } worker: {
            if let moment { try await work(ledger, at: moment) }
        }
        for number in ledger.unset {
            ledger.add(try await restore.setSequences(of: groups[number], over: leader), of: number)
        }
        return conclude(ledger)
    }

    /// How many members there are to be.
    private func count(_ sizes: [Int64]) async throws -> Int {
        let limit = WorkerLimit(settings: leader.settings, connection: leader.connection)
        let wanted = limit.decide(try await limit.most(for: groups.count), sizes)
        guard wanted > 1 else { return 1 }
        let free = try await leader.withTransaction(.catalog) {
            try await FreeConnections(connection: leader.connection).count()
        }
        guard let free, free < wanted - 1 else { return wanted }
        recorder.found(
            .note(
                "\(free + 1) of \(wanted) groups of tables are loaded at once: the server has "
                    + "\(counted(free, "connection")) left"
            )
        )
        return free + 1
    }

    /// What each group waits for.
    ///
    /// - Parameter sizes: How much there is to load; nil: in the order of the plan.
    /// - Returns: A piece for each, in the order of the plan.
    private func pieces(_ sizes: [Int64]?) -> [WorkQueue.Piece] {
        let places = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($0.element.number, $0.offset) })
        guard let sizes else {
            return groups.map { WorkQueue.Piece(needs: Set($0.references.compactMap { places[$0] })) }
        }
        let keys = Dictionary(grouping: restore.loader.catalog.foreignKeys, by: \.referencing)
        return groups.enumerated().map { place, group in
            WorkQueue.Piece(
                size: sizes[place],
                needs: Set(group.references.compactMap { places[$0] }),
                locks: restore.loader.preparation(of: group).lockModes(checking: keys),
                isAlone: group.jobs.contains { restore.loader.runsCodeOfUsers($0) }
            )
        }
    }

    private func member(_ session: DatabaseSession, _ ledger: LoadLedger, isLeader: Bool) -> LoadMember {
        LoadMember(restore: restore, session: session, ledger: ledger, isLeader: isLeader)
    }

    /// Works over a connection of its own; without one the run has one worker less.
    ///
    /// - Throws: What ends the run.
    private func work(_ ledger: LoadLedger, at moment: ServerMoment) async throws {
        var result: Result<Void, any Error>?
        do {
            try await leader.session.withDatabase(at: leader.connection.server) { session in
                guard try await ServerMoment(of: session.connection) == moment else {
                    throw DatabudgieError(
                        .database,
                        "a further connection has reached another server, or another database"
                    )
                }
                do {
                    try await member(session, ledger, isLeader: false).work()
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
            }
        } catch {
            // Without a result it has not begun.
            if result == nil, !Task.isCancelled {
                recorder.found(.note("one group of tables less is loaded at once: \(ErrorText(error).message)"))
            }
        }
        try result?.get()
    }

    /// Reports what a strict failure has kept from being loaded.
    private func conclude(_ ledger: LoadLedger) -> CheckedRestore.Progress {
        var progress = CheckedRestore.Progress(results: [], stoppedBy: ledger.stoppedBy)
        for (number, group) in groups.enumerated() {
            if let results = ledger.results(of: number) {
                progress.results += results
            } else if let failedJob = progress.stoppedBy {
                progress.results += group.jobs.map {
                    restore.fail($0.id, "not restored, because \(failedJob) failed and the run is strict")
                }
            }
        }
        guard let failedJob = progress.stoppedBy else { return progress }
        progress.results += restore.plan.sequences.filter(\.isAlone).map {
            restore.fail($0.id, "not set, because \(failedJob) failed and the run is strict")
        }
        return progress
    }
}

extension RestoreJob {
    /// How much there is to load, as far as it is known, in bytes.
    fileprivate var contentBytes: Int64 {
        candidate?.source.part?.data?.segments?.reduce(0) { $0 + $1.uncompressedBytes } ?? Int64(file.size)
    }
}

extension GroupLoader {
    /// Whether loading a job runs triggers of users, which may read and write anything, or a foreign-data wrapper.
    func runsCodeOfUsers(_ job: RestoreJob) -> Bool {
        ![.table, .partitionedTable].contains(job.relation.kind) || formats[job.id]?.firingTriggers.isEmpty == false
            || catalog.descendants(of: job.relation.oid).contains { catalog[$0]?.kind == .foreignTable }
    }
}
