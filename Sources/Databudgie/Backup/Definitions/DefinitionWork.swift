import Postgres
import Synchronization

/// The export of a run's definitions, which a worker does while other members export rows.
///
/// pg_dump takes as long as it takes: it asks the server a question about many an object, one after another.
final class DefinitionWork: Sendable {
    /// Definitions could not be written, and rows without them are no set.
    struct Failure: Error {
        let error: any Error
    }

    private enum State {
        case waiting, running, failed
        case done([QualifiedName])
    }

    private let export: DefinitionExport
    private let groups: [DefinitionGroup]
    private let state: Mutex<State>
    private let (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - export: Over the connection of the leader.
    ///   - groups: The tables, and where their files go.
    init(_ export: DefinitionExport, of groups: [DefinitionGroup]) {
        (self.export, self.groups) = (export, groups)
        state = Mutex(groups.isEmpty ? .done([]) : .waiting)
    }

    /// Nobody has begun it.
    var isWaiting: Bool { state.withLock { if case .waiting = $0 { true } else { false } } }

    /// The tables and views whose definitions are written, referenced ones first.
    var names: [QualifiedName] { state.withLock { if case .done(let names) = $0 { names } else { [] } } }

    /// The tables and views whose definitions are going to be written, as far as the plan knows.
    var plannedNames: Set<QualifiedName> { Set(groups.flatMap(\.relations).map(\.name)) }

    /// Does the work unless somebody else does, or has done it.
    ///
    /// - Parameter session: Its transaction sees the moment of the run.
    /// - Throws: ``Failure``; `CancellationError`.
    func run(over session: DatabaseSession) async throws {
        let isTaken = state.withLock { state in
            guard case .waiting = state else { return false }
            state = .running
            return true
        }
        guard isTaken else { return }
        var export = export
        export.session = session
        do {
            let names = try await export.run(groups)
            state.withLock { $0 = .done(names) }
            change.yield()
        } catch {
            state.withLock { $0 = .failed }
            change.yield()
            guard FailureScope(of: error) != .interruption else { throw CancellationError() }
            throw Failure(error: error)
        }
    }

    /// Sees to it that the work is done, as the leader: waits for the worker that does it, or does it now.
    ///
    /// - Parameters:
    ///   - session: That of the leader.
    ///   - willWait: Runs before it waits.
    /// - Throws: ``Failure``, unless it is the worker's, which throws it; `CancellationError`.
    func finish(over session: DatabaseSession, _ willWait: () async throws -> Void = {}) async throws {
        try await run(over: session)
        guard isRunning else { return }
        try await willWait()
        for await _ in changes where !isRunning { return }
        throw CancellationError()
    }

    private var isRunning: Bool { state.withLock { if case .running = $0 { true } else { false } } }
}
