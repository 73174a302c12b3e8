public import Storage

/// The storages that the conformance suite runs on; a new kind that is added here gets all tests.
public enum StorageUnderTest: String, Sendable, CaseIterable, CustomStringConvertible {
    /// This machine's disk.
    case local
    /// A real S3 server.
    case s3

    /// The kind's name in test results.
    public var description: String { rawValue }

    /// Creates a storage and an empty folder in it, and removes both afterwards.
    /// - Parameter body: What to do with them.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error.
    public func withStorage<R>(_ body: (any Storage, StoragePath) async throws -> R) async throws -> R {
        switch self {
        case .local:
            return try await withTemporaryFolder { try await body(LocalStorage(), .local($0)) }
        case .s3:
            let server = try await S3Server.shared
            let storage = S3Storage(options: server.options(), environment: [:])
            return try await server.withFolder { folder in
                do {
                    let result = try await body(storage, folder)
                    try await storage.shutdown()
                    return result
                } catch {
                    try? await storage.shutdown()
                    throw error
                }
            }
        }
    }
}
