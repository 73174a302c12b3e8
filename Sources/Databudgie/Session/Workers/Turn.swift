/// What only one of several tasks may do at a time.
final class Turn: Sendable {
    private let isTaken = Watched(false)

    /// Runs the body when no other task does.
    ///
    /// - Parameter body: Does it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `CancellationError`.
    func take<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await isTaken.wait { isTaken -> Void? in
            guard !isTaken else { return nil }
            isTaken = true
            return ()
        }
        defer { isTaken.change { $0 = false } }
        return try await body()
    }
}
