import Postgres

/// The export of a run's definitions, which a worker does while other members export rows.
///
/// pg_dump takes as long as it takes: it asks the server a question about many an object, one after another.
final class DefinitionWork: Sendable {
    /// Definitions could not be written, and rows without them are no set.
    struct Failure: Error {
        let error: any Error
    }

    private enum State: Sendable {
        case waiting, running
        case done([QualifiedName])
        case failed(any Error)
    }

    private let export: DefinitionExport
    private let groups: [DefinitionGroup]
    private let state: Watched<State>

    /// - Parameters:
    ///   - export: Over the connection of the leader.
    ///   - groups: The tables, and where their files go.
    init(_ export: DefinitionExport, of groups: [DefinitionGroup]) {
        (self.export, self.groups) = (export, groups)
        state = Watched(groups.isEmpty ? .done([]) : .waiting)
    }

    /// Nobody has begun it.
    var isWaiting: Bool { state.withLock { if case .waiting = $0 { true } else { false } } }

    /// The tables and views whose definitions are written, referenced ones first.
    var names: [QualifiedName] { state.withLock { if case .done(let names) = $0 { names } else { [] } } }

    /// The tables and views whose definitions are going to be written, as far as the plan knows.
    var plannedNames: Set<QualifiedName> { Set(groups.flatMap(\.relations).map(\.name)) }

    /// All of it is done.
    var isDone: Bool { state.withLock { if case .done = $0 { true } else { false } } }

    /// Does the work as a worker, unless somebody else does, or has done it.
    ///
    /// - Parameter session: Its transaction sees the moment of the run.
    /// - Returns: False when the connection is lost, and the work is left to others: nothing of it was written.
    /// - Throws: ``Failure``; `CancellationError`.
    func run(over session: DatabaseSession) async throws -> Bool {
        guard take() else { return true }
        return try await work(over: session, isLeader: false)
    }

    /// Sees to it that the work is done, as the leader: waits for the worker that does it, or does it.
    ///
    /// - Parameters:
    ///   - session: That of the leader.
    ///   - willWait: Runs before it waits.
    /// - Throws: ``Failure``, of the worker, too; `CancellationError`.
    func finish(over session: DatabaseSession, _ willWait: () async throws -> Void = {}) async throws {
        while !isDone {
            if take() {
                _ = try await work(over: session, isLeader: true)
            } else {
                if let failure { throw failure }
                try await willWait()
                try await state.wait { state -> Void? in if case .running = state { nil } else { () } }
            }
        }
    }

    /// Does the work that was taken.
    ///
    /// - Returns: False when a worker's connection is lost, and the work is left to others.
    private func work(over session: DatabaseSession, isLeader: Bool) async throws -> Bool {
        do {
            end(as: .done(try await names(over: session)))
            return true
        } catch {
            // Before others are told, who may cancel this task.
            let failure = Self.failure(error)
            guard !isLeader, failure is Failure, export.written.definitions.isEmpty, await Self.isLost(session, error)
            else {
                end(as: .failed(failure))
                throw failure
            }
            session.recorder.found(
                .warning("\(ErrorText(error).message): reading the definitions again, over another connection")
            )
            end(as: .waiting)
            return false
        }
    }

    private func names(over session: DatabaseSession) async throws -> [QualifiedName] {
        var export = export
        export.session = session
        return try await export.run(groups)
    }

    private static func failure(_ error: any Error) -> any Error {
        FailureScope(of: error) == .interruption ? CancellationError() : Failure(error: error)
    }

    /// Whether a connection is gone; pg_dump then says that there is no such snapshot.
    private static func isLost(_ session: DatabaseSession, _ error: any Error) async -> Bool {
        func isLoss(_ error: any Error) -> Bool { (error as? PostgresError)?.code == .connectionLost }
        if isLoss(error) { return true }
        do {
            _ = try await session.connection.query("select 1")
            return false
        } catch {
            return isLoss(error)
        }
    }

    private var failure: (any Error)? { state.withLock { if case .failed(let error) = $0 { error } else { nil } } }

    private func take() -> Bool {
        state.withLock { state in
            guard case .waiting = state else { return false }
            state = .running
            return true
        }
    }

    private func end(as new: State) {
        state.change { $0 = new }
    }
}
