import Storage

/// The storages of a run: the local disk, and S3 when a path asks for it.
struct StorageRouter: Sendable {
    private let local = LocalStorage()
    private let s3: S3Storage

    /// Opens the storages for the body and closes their connections after it.
    ///
    /// - Parameters:
    ///   - s3Options: What the configuration says of S3.
    ///   - environment: Variables that credentials and endpoints may come from.
    ///   - body: Uses the storages; they must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    static func withStorages<Result>(
        s3Options: S3Options,
        environment: [String: String],
        _ body: (StorageRouter) async throws -> Result
    ) async throws -> Result {
        let storages = StorageRouter(s3: S3Storage(options: s3Options, environment: environment))
        do {
            let result = try await body(storages)
            try await storages.s3.shutdown()
            return result
        } catch {
            try? await storages.s3.shutdown()
            throw error
        }
    }

    /// Checks every folder on disk, and one folder of each bucket, before any work is done for them.
    ///
    /// - Throws: `StorageError` for the first that cannot be written.
    func checkWritable(_ folders: [StoragePath]) async throws {
        var checked: Set<StoragePath> = []
        for folder in folders {
            let scope: StoragePath
            switch folder {
            case .local: scope = folder
            case .s3(let bucket, _): scope = .s3(bucket: bucket, key: "")
            }
            if checked.insert(scope).inserted {
                // The folder and not the bucket: a policy may allow nothing else.
                try await storage(for: folder).checkWritable(folder)
            }
        }
    }

    /// The storage that a path lies in.
    func storage(for path: StoragePath) -> any Storage {
        switch path {
        case .local: local
        case .s3: s3
        }
    }
}
