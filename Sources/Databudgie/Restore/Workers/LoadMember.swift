import Postgres

/// A member of a restore: takes groups of tables and loads them over its own connection.
struct LoadMember: Sendable {
    let restore: CheckedRestore
    let session: DatabaseSession
    let ledger: LoadLedger
    /// The run ends with its connection.
    let isLeader: Bool
    /// How much it loads in one transaction.
    let batch: WorkQueue.Batch

    private var loader: GroupLoader { restore.loader.over(session, isExpendable: !isLeader) }

    /// Takes groups until none is left for the member, or its connection is lost.
    ///
    /// - Throws: What ends the run; `CancellationError`.
    func work() async throws {
        while let number = try await ledger.queue.next(isLeader: isLeader) {
            guard try await load([number] + ledger.queue.others(with: number, batch)) else { return }
        }
    }

    /// Loads groups: several in one transaction, and when that fails, each in one of its own.
    ///
    /// So a failure concerns one group. They come in their order then, because one may rely on another one in a way that nobody
    /// knows of.
    ///
    /// - Returns: False when the connection is lost.
    private func load(_ numbers: [Int]) async throws -> Bool {
        var groups: [Int] = []
        for number in numbers {
            // It is reported, and not loaded.
            guard ledger.cause(of: number) == nil else {
                _ = try await load(number)
                continue
            }
            groups.append(number)
        }
        guard !ledger.isStopped || groups.count == numbers.count else {
            groups.forEach(ledger.queue.end)
            return true
        }
        guard groups.count > 1 else {
            guard let number = groups.first else { return true }
            return try await load(number)
        }
        do {
            let results = try await loader.run(groups.map { restore.plan.groups[$0] })
            if let results { return try await finish(groups, results) }
        } catch let lost as LostGroup {
            lose(lost, groups)
            return false
        }
        ledger.queue.putBack(groups)
        return true
    }

    /// Loads a group; a failed one stops the others only when it is strict.
    ///
    /// - Returns: False when the connection is lost.
    private func load(_ number: Int) async throws -> Bool {
        let group = restore.plan.groups[number]
        if let cause = ledger.cause(of: number) {
            ledger.add(restore.fail(group, dependingOn: cause), of: number)
            end(number, failedJob: cause)
            return true
        }
        do {
            let (results, failedJob) = try await loader.run(group)
            guard let failedJob else { return try await finish([number], [results]) }
            ledger.add(results, of: number)
            end(number, failedJob: failedJob)
            return true
        } catch let lost as LostGroup {
            lose(lost, [number])
            return false
        }
    }

    /// Ends a group whose only job is over.
    func finish(_ number: Int, _ result: JobResult) async throws {
        if case .failed(let failure) = result {
            ledger.add([result], of: number)
            end(number, failedJob: failure.job)
        } else {
            _ = try await finish([number], [[result]])
        }
    }

    /// Sets the sequences of groups that are committed, and ends them.
    ///
    /// - Returns: False when the connection is lost.
    private func finish(_ numbers: [Int], _ results: [[JobResult]]) async throws -> Bool {
        for (number, results) in zip(numbers, results) { ledger.add(results, of: number) }
        let isSet = try await setSequences(of: numbers)
        for number in numbers { end(number, failedJob: nil) }
        return isSet
    }

    private func end(_ number: Int, failedJob: JobID?) {
        let isStrict = session.settings.isStrict || restore.plan.groups[number].isStrict
        ledger.end(number, failedJob: failedJob, isStrict: isStrict)
    }

    /// Sets the sequences of groups that are committed.
    ///
    /// - Returns: False when the connection is lost, and the leader has to do it.
    private func setSequences(of numbers: [Int]) async throws -> Bool {
        do {
            let groups = numbers.map { restore.plan.groups[$0] }
            let failures = try await ledger.sequences.take {
                try await restore.setSequences(of: groups, over: session)
            }
            if let first = numbers.first { ledger.add(failures, of: first) }
            return true
        } catch {
            guard !isLeader, FailureScope(of: error) == .run else { throw error }
            for number in numbers { ledger.leaveSequences(of: number) }
            return false
        }
    }

    /// Leaves groups to other members when they certainly were rolled back, for the first time.
    private func lose(_ lost: LostGroup, _ numbers: [Int]) {
        let text = ErrorText(lost.failure.error)
        if !lost.isCommitting {
            let left = numbers.filter { !ledger.handOver($0) }
            if left.count < numbers.count {
                session.recorder.found(
                    .warning("\(text.message): loading it again, over another connection", of: lost.failure.job)
                )
            }
            for number in left {
                let group = restore.plan.groups[number]
                let failure = GroupFailure(job: lost.job(of: group), error: lost.failure.error)
                ledger.add(loader.reportRolledBack(group, by: failure), of: number)
                end(number, failedJob: failure.job)
            }
            return
        }
        for number in numbers {
            let group = restore.plan.groups[number]
            ledger.add(loader.reportUncertain(group, lost.failure), of: number)
            end(number, failedJob: lost.job(of: group))
        }
    }
}

extension LostGroup {
    /// The job of a group that is to blame: of groups that were loaded together, the first of each one that did not fail itself.
    fileprivate func job(of group: LoadGroup) -> JobID {
        group.jobs.contains { $0.id == failure.job } ? failure.job : group.jobs[0].id
    }
}
