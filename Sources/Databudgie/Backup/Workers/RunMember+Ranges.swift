import Postgres
import Storage

extension RunMember {
    /// Exports a range of a large table; whoever exports the last one publishes the file.
    ///
    /// - Returns: False when the connection is lost.
    /// - Throws: What ends the run.
    func export(_ index: Int, of split: SplitJob) async throws -> Bool {
        let step: SplitJob.Step
        do {
            if run.list.begin(split.job.id) { recorder.started(split.job.id) }
            let range = try await export(of: split.job).run(index, of: split)
            await FailPoint.reached(.rangeWritten)
            step = split.complete(index, range)
        } catch {
            return try await failed(index, of: split, error)
        }
        try await go(on: step, with: split)
        warnOfAge()
        return true
    }

    /// Does what is to be done for a job after one of its ranges.
    ///
    /// - Throws: What ends the run.
    private func go(on step: SplitJob.Step, with split: SplitJob) async throws {
        switch step {
        case .othersContinue: run.list.leave()
        case .publish(let ranges): try await publish(split, ranges)
        case .giveUp(let error): await giveUp(split, error)
        }
    }

    private func publish(_ split: SplitJob, _ ranges: [ExportedRange]) async throws {
        do {
            let outcome = try await export(of: split.job).publish(split, ranges)
            try await finish(split.job, outcome)
        } catch {
            try giveWay(split.job, error)
            guard FailureScope(of: error) != .interruption else { throw CancellationError() }
            stopIfStrict(split, error)
            try await go(on: split.failLast(error), with: split)
            try rethrowUnlessJobFailed(error)
        }
    }

    /// Removes what there is of a job that has failed, and says so, once.
    private func giveUp(_ split: SplitJob, _ error: any Error) async {
        await split.discard()
        guard Self.isRefusal(error) else {
            return run.list.end(with: recorder.ended(.failed(JobFailure(split.job.id, error))))
        }
        recorder.found(
            .warning(
                "the storage does not accept it in ranges: \(ErrorText(error).message); exporting it again, as one",
                of: split.job.id
            )
        )
        run.list.undivide()
        run.list.handOver(.whole(split.job))
    }

    /// Finds out what the failure of a range ends.
    ///
    /// - Returns: False when the connection is lost, and nothing else.
    /// - Throws: What ends the run.
    private func failed(_ index: Int, of split: SplitJob, _ error: any Error) async throws -> Bool {
        try giveWay(split.job, error)
        guard FailureScope(of: error) != .interruption else { throw CancellationError() }
        if isLeader { try rethrowUnlessJobFailed(error) }
        if !isLeader, !split.hasFailed, let isLost = handsOver(split.job, error) {
            let step = split.leave()
            if case .othersContinue = step {
                run.list.handOver(.range(split, index))
            } else {
                try await go(on: step, with: split)
            }
            return !isLost
        }
        let isLost = (error as? PostgresError)?.code == .connectionLost
        if split.hasFailed {
            try await go(on: split.leave(), with: split)
        } else {
            stopIfStrict(split, error)
            try await go(on: split.fail(error), with: split)
        }
        return !isLost
    }

    private func stopIfStrict(_ split: SplitJob, _ error: any Error) {
        if split.job.isStrict, !Self.isRefusal(error) { run.list.stop(after: split.job.id) }
    }

    /// The storage may accept the table as one: some servers want parts of equal size, or numbers without gaps.
    private static func isRefusal(_ error: any Error) -> Bool {
        guard let error = error as? StorageError, case .s3 = error.path else { return false }
        return error.code == .rejected
    }
}
