import Postgres
import Synchronization

/// The members that create what comes after the rows of new tables: indexes and keys at the same time, the rest in its order.
struct FinishingTeam: Sendable {
    let definitions: DefinitionInstaller
    let restore: CheckedRestore

    private var leader: DatabaseSession { restore.session }

    /// What the members could not do.
    private struct State {
        var failures: [Int: [DefinitionInstaller.Failure]] = [:]
        /// What has to be run again, after the others, by the numbers of their pieces.
        var repeated: [Int: [StoredDefinition]] = [:]
    }

    /// Creates everything, each definition of which fails alone.
    ///
    /// - Returns: What could not be created.
    /// - Throws: `PostgresError` when the leader's connection was lost; `CancellationError`.
    func run() async throws -> [DefinitionInstaller.Failure] {
        let plan = FinishingPlan(
            definitions.postData,
            catalog: restore.loader.catalog,
            sizes: Dictionary(restore.plan.jobs.map { ($0.relation.oid, $0.contentBytes) }, uniquingKeysWith: +)
        )
        let sizes = plan.builds.map(\.size)
        let count = try await WorkerLimit.members(for: sizes, of: leader, "indexes and keys are created")
        let left = definitions.leftUnvalidated(in: restore.loader.catalog)
        guard count > 1 else {
            var failures = try await definitions.finishInBatches()
            for key in try await definitions.unvalidated(left, in: restore.loader.catalog) {
                if let failure = try await definitions.validate(key, over: leader) { failures.append(failure) }
            }
            return failures
        }
        let moment = try await ServerMoment(of: leader.connection)
        var failures = try await build(plan.builds, count, moment)
        failures += try await definitions.finishInBatches(plan.keys)
        failures += try await validate(plan.validations + left, count, moment)
        return failures + (try await definitions.finishInBatches(plan.rest))
    }

    /// Creates indexes and keys; what failed for a reason that may be gone is created again by the leader alone.
    private func build(
        _ units: [FinishingPlan.Unit],
        _ count: Int,
        _ moment: ServerMoment
    ) async throws -> [DefinitionInstaller.Failure] {
        let state = Mutex(State())
        let pieces = units.map { WorkQueue.Piece(size: $0.size, locks: $0.locks) }
        try await share(pieces, count, moment) { number, session in
            let (failures, repeated) = try await definitions.build(
                units[number].definitions,
                over: session,
                builders: count
            )
            state.withLock { ($0.failures[number], $0.repeated[number]) = (failures, repeated) }
        } losing: { number in
            state.withLock { $0.repeated[number] = units[number].definitions }
        }
        let (failures, repeated) = state.withLock { state in
            (units.indices.flatMap { state.failures[$0] ?? [] }, units.indices.flatMap { state.repeated[$0] ?? [] })
        }
        // The commit of a connection that was lost may have created them.
        return failures + (try await definitions.finishInBatches(repeated, mayExist: true))
    }

    /// Validates the keys that were added; one that the rows violate is removed again, as if it had not been added.
    private func validate(
        _ validations: [FinishingPlan.Validation],
        _ count: Int,
        _ moment: ServerMoment
    ) async throws -> [DefinitionInstaller.Failure] {
        let pending = try await definitions.unvalidated(validations, in: restore.loader.catalog)
        let state = Mutex(State())
        let validate = { @Sendable (number: Int, session: DatabaseSession) async throws -> Void in
            let failure = try await definitions.validate(pending[number], over: session)
            state.withLock { $0.failures[number] = failure.map { [$0] } ?? [] }
        }
        let pieces = pending.map { WorkQueue.Piece(size: $0.size, locks: $0.locks) }
        try await share(pieces, min(count, max(pending.count, 1)), moment, validate) { _ in }
        for number in pending.indices where state.withLock({ $0.failures[number] }) == nil {
            try await validate(number, leader)
        }
        return state.withLock { state in pending.indices.flatMap { state.failures[$0] ?? [] } }
    }

    /// Has the members do pieces of work, each over its own connection.
    ///
    /// - Parameters:
    ///   - pieces: The work.
    ///   - count: How many members there are.
    ///   - moment: The database of the run.
    ///   - body: Does one piece, in a transaction of its own.
    ///   - lose: Is called for a piece whose connection was lost.
    /// - Throws: What the body throws, if it is not the loss of a worker's connection; `CancellationError`.
    private func share(
        _ pieces: [WorkQueue.Piece],
        _ count: Int,
        _ moment: ServerMoment,
        _ body: @escaping @Sendable (Int, DatabaseSession) async throws -> Void,
        losing lose: @escaping @Sendable (Int) -> Void
    ) async throws {
        guard !pieces.isEmpty else { return }
        let queue = WorkQueue(pieces)
        @Sendable func work(_ session: DatabaseSession, isLeader: Bool) async throws {
            while let number = try await queue.next(isLeader: isLeader) {
                do {
                    try await body(number, session)
                } catch {
                    guard !isLeader, FailureScope(of: error) == .run else { throw error }
                    leader.recorder.found(
                        .warning(
                            "\(ErrorText(error).message): creating indexes and keys again, over another connection"
                        )
                    )
                    lose(number)
                    queue.end(number)
                    return
                }
                queue.end(number)
            }
        }
        try await Members.run(workers: count - 1) {
            try await work(leader, isLeader: true)
        } worker: {
            guard queue.isWaiting else { return }
            try await leader.withWorker(at: moment, without: "one index or key less is created at once") { session in
                try await work(session, isLeader: false)
            }
        }
    }
}
