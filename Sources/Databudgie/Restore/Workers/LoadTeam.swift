import Postgres
import Storage

/// The members of a restore: the leader, over whose connection it was planned, and workers.
///
/// Each takes group after group, and loads it in a transaction of its own; small ones together, because a transaction costs as
/// much as their rows.
struct LoadTeam: Sendable {
    let restore: CheckedRestore

    /// The bytes of content up to which a group is small.
    private static let smallBytes: Int64 = 1 << 20
    /// What other sessions wait for, as long as it takes, is not much.
    private static let batch = WorkQueue.Batch(count: 50, bytes: 4 << 20)

    private var leader: DatabaseSession { restore.session }
    private var recorder: RunRecorder { leader.recorder }
    private var groups: [LoadGroup] { restore.plan.groups }

    /// Loads all groups.
    ///
    /// - Returns: What has become of them, in the order of the plan.
    /// - Throws: `CancellationError`, and `PostgresError` when the leader's connection was lost.
    func load() async throws -> CheckedRestore.Progress {
        let sizes = groups.map { $0.jobs.reduce(0) { $0 + $1.contentBytes } }
        let count = try await WorkerLimit.members(for: worthwhile(sizes), of: leader, "groups of tables are loaded")
        let ledger = LoadLedger(pieces(sizes, isOrdered: count == 1))
        let moment = count > 1 ? try await ServerMoment(of: leader.connection) : nil
        if let moment { try await loadDivided(sizes, ledger, count, moment) }
        try await Members.run(workers: count - 1) {
            try await member(leader, ledger, count, isLeader: true).work()
        } worker: {
            guard let moment, ledger.queue.isWaiting else { return }
            try await leader.withWorker(at: moment, without: "one group of tables less is loaded at once") { session in
                try await member(session, ledger, count, isLeader: false).work()
            }
        }
        for number in ledger.unset {
            ledger.add(try await restore.setSequences(of: [groups[number]], over: leader), of: number)
        }
        return conclude(ledger)
    }

    /// The sizes of what members can load at the same time, in bytes.
    private func worthwhile(_ sizes: [Int64]) -> [Int64] {
        let least = leader.settings.rangeSize
        return zip(groups, sizes).flatMap { group, size in
            restore.mayDivide(group) ? Array(repeating: least, count: Int(size / least)) : [size]
        }
    }

    /// Has all members load what one of them would still be loading when the others have nothing left to do.
    private func loadDivided(
        _ sizes: [Int64],
        _ ledger: LoadLedger,
        _ count: Int,
        _ moment: ServerMoment
    ) async throws {
        var left = sizes.reduce(0, +)
        for place in groups.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) {
            let group = groups[place]
            guard sizes[place] > left / Int64(count), let job = group.jobs.first, restore.mayDivide(group),
                let load = DividedLoad(job, members: count, rangeSize: leader.settings.rangeSize),
                ledger.queue.take(place)
            else { return }
            let team = DivisionTeam(restore: restore, group: group, load: load, moment: moment, count: count)
            if let result = try await team.run() {
                try await member(leader, ledger, count, isLeader: true).finish(place, result)
            } else {
                ledger.queue.putBack([place])
            }
            left -= sizes[place]
        }
    }

    /// What each group waits for.
    ///
    /// - Parameters:
    ///   - sizes: How much there is to load, in bytes.
    ///   - isOrdered: They are taken in the order of the plan, as one member does that has nobody to wait for.
    /// - Returns: A piece for each, in the order of the plan.
    private func pieces(_ sizes: [Int64], isOrdered: Bool) -> [WorkQueue.Piece] {
        let places = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($0.element.number, $0.offset) })
        let keys = Dictionary(grouping: restore.loader.catalog.foreignKeys, by: \.referencing)
        return groups.enumerated().map { place, group in
            let preparation = restore.loader.preparation(of: group)
            let isSmall = sizes[place] <= Self.smallBytes && restore.loader.canJoin(group, preparation)
            var piece = WorkQueue.Piece(
                needs: Set(group.references.compactMap { places[$0] }),
                shared: isSmall ? sizes[place] : nil
            )
            piece.isAlone = group.jobs.contains { restore.loader.runsCodeOfUsers($0) }
            guard !isOrdered else { return piece }
            piece.size = sizes[place]
            piece.locks = preparation.lockModes(checking: keys)
            return piece
        }
    }

    private func member(_ session: DatabaseSession, _ ledger: LoadLedger, _ count: Int, isLeader: Bool) -> LoadMember {
        var batch = Self.batch
        batch.members = count
        return LoadMember(restore: restore, session: session, ledger: ledger, isLeader: isLeader, batch: batch)
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
    var contentBytes: Int64 {
        candidate?.source.part?.data?.segments?.reduce(0) { $0 + $1.uncompressedBytes } ?? Int64(file.size)
    }
}

extension GroupLoader {
    /// Whether a group may be loaded along with others: nothing is altered for it, and its load says nothing but how many rows
    /// it had, so that it can be tried twice.
    fileprivate func canJoin(_ group: LoadGroup, _ preparation: GroupPreparation) -> Bool {
        group.deferredKeys.isEmpty && group.emptyReferrers.isEmpty && preparation.altered.isEmpty
            && preparation.created.isEmpty
            && group.jobs.allSatisfy { job in
                guard let format = formats[job.id] else { return false }
                return job.maxRejects == 0 && format.merge == nil && !format.countMayDiffer && !runsCodeOfUsers(job)
            }
    }

    /// Whether loading a job runs triggers of users, which may read and write anything, or a foreign-data wrapper.
    func runsCodeOfUsers(_ job: RestoreJob) -> Bool {
        ![.table, .partitionedTable].contains(job.relation.kind) || formats[job.id]?.firingTriggers.isEmpty == false
            || catalog.descendants(of: job.relation.oid).contains { catalog[$0]?.kind == .foreignTable }
    }
}
