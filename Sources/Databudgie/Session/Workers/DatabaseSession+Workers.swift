import Postgres

extension DatabaseSession {
    /// Works over a further connection to the same database; without one the run has one worker less, and a note says so.
    ///
    /// - Parameters:
    ///   - moment: What this session's connection has reached.
    ///   - consequence: What it means when there is no further connection.
    ///   - body: The work; how its connection ends is of no interest once it has returned.
    /// - Throws: What the body throws.
    func withWorker(
        at moment: ServerMoment,
        without consequence: String,
        _ body: (DatabaseSession) async throws -> Void
    ) async throws {
        var result: Result<Void, any Error>?
        do {
            try await session.withDatabase(at: connection.server) { session in
                guard try await ServerMoment(of: session.connection) == moment else {
                    throw DatabudgieError(
                        .database,
                        "a further connection has reached another server, or another database"
                    )
                }
                do {
                    try await body(session)
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
            }
        } catch {
            // Without a result it has not begun.
            if result == nil, !Task.isCancelled {
                recorder.found(.note("\(consequence): \(ErrorText(error).message)"))
            }
        }
        try result?.get()
    }
}
