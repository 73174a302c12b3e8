import Storage

/// Tells failures that concern one file from those that end a run.
enum FileFailure {
    /// What is wrong with one object or one file on a disk, and says nothing about any other.
    private static let codes: Set<StorageError.Code> = [
        .notFound, .invalidPath, .accessDenied, .archived, .inputOutput, .unsafeLink, .changedWhileReading, .truncated,
        .corrupted,
    ]

    /// Reads a file.
    ///
    /// - Parameter body: Reads no other file.
    /// - Returns: What the body returns, or why that file cannot be used.
    /// - Throws: What would fail for every other file too: a storage that cannot be reached, credentials that are wrong;
    ///   `CancellationError`.
    nonisolated(nonsending) static func result<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws -> Result<Value, DatabudgieError> {
        do {
            return .success(try await body())
        } catch let error as DatabudgieError {
            return .failure(error)
        } catch let error as StorageError where codes.contains(error.code) {
            return .failure(DatabudgieError(.storage, error.message, hint: error.hint, underlying: error))
        }
    }
}
