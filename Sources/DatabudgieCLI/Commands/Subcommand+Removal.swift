import Databudgie

extension Subcommand {
    /// Removes files until all are gone or a signal comes.
    ///
    /// - Parameters:
    ///   - display: Says what becomes of it.
    ///   - body: Removes them; when it is cancelled it stops at a point from which the next run can continue.
    ///   - andThen: What is said when all of them are gone.
    /// - Returns: The exit status.
    /// - Throws: What the closures throw.
    func removeInterruptibly(
        _ display: RunDisplay,
        _ body: @escaping @Sendable () async throws -> Void,
        andThen: () throws -> Void
    ) async throws -> ExitStatus {
        let outcome = await withInterruption(onSignal: { _ in display.interrupting() }, body)
        switch (outcome.result, outcome.signal) {
        case (.success, _):
            try andThen()
            return .success
        case (.failure, let signal?):
            display.interruptedRemoval()
            return .interrupted(by: signal)
        case (.failure(let error), nil):
            throw error
        }
    }
}
