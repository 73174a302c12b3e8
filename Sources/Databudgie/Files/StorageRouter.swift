import Storage

/// The storages of a run: the local disk, and S3 when a path is there.
struct StorageRouter: Sendable {
    let local: any Storage
    let s3: any Storage
    /// S3 for data files, which alone are of the configured storage class; nil: as for all other files.
    ///
    /// Records and marks, definitions and values of sequences are small, and are read or removed soon.
    var s3Data: (any Storage)?

    /// Opens the storages for the body and closes their connections after it.
    ///
    /// - Parameters:
    ///   - settings: Say where S3 is; a dry run gets storages that write nothing.
    ///   - body: Uses the storages; they must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    static func withStorages<Result>(
        _ settings: RunSettings,
        _ body: (StorageRouter) async throws -> Result
    ) async throws -> Result {
        try await withStorages(settings.s3, variables: settings.variables, isDryRun: settings.isDryRun, body)
    }

    /// Opens the storages for the body and closes their connections after it.
    ///
    /// - Parameters:
    ///   - run: Says where S3 is; a dry run gets storages that write nothing.
    ///   - environment: For what the configuration does not say.
    ///   - body: Uses the storages; they must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    static func withStorages<Result>(
        of run: RunConfiguration,
        in environment: RunEnvironment,
        _ body: (StorageRouter) async throws -> Result
    ) async throws -> Result {
        try await withStorages(run.s3, variables: environment.variables, isDryRun: run.isDryRun, body)
    }

    /// Opens the storages for the body and closes their connections after it.
    ///
    /// - Parameters:
    ///   - options: Say where S3 is.
    ///   - variables: The environment, for what they do not say.
    ///   - isDryRun: The storages write and remove nothing.
    ///   - body: Uses the storages; they must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    static func withStorages<Result>(
        _ options: S3Options,
        variables: [String: String],
        isDryRun: Bool,
        _ body: (StorageRouter) async throws -> Result
    ) async throws -> Result {
        let s3Data = S3Storage(options: options, environment: variables)
        let s3 = s3Data.storing(in: nil)
        let router =
            isDryRun
            ? StorageRouter(local: DryRunStorage(base: LocalStorage()), s3: DryRunStorage(base: s3))
            : StorageRouter(local: LocalStorage(), s3: s3, s3Data: s3Data)
        do {
            let result = try await body(router)
            try await s3.shutdown()
            return result
        } catch {
            try? await s3.shutdown()
            throw error
        }
    }

    /// Checks the folders that data files go to, before any work is done for them.
    ///
    /// - Throws: `StorageError` for the first that cannot be written.
    func checkWritable(_ folders: [StoragePath]) async throws {
        let (here, there) = Self.split(folders)
        if !here.isEmpty { try await local.checkWritable(here) }
        if !there.isEmpty { try await (s3Data ?? s3).checkWritable(there) }
    }

    /// Deletes files, wherever they are; one that does not exist is not an error.
    ///
    /// - Throws: `StorageError` for the first that could not be deleted, after all others of its storage were tried.
    func delete(_ paths: [StoragePath]) async throws {
        let (here, there) = Self.split(paths)
        if !here.isEmpty { try await local.delete(here) }
        if !there.isEmpty { try await s3.delete(there) }
    }

    private static func split(_ paths: [StoragePath]) -> (here: [StoragePath], there: [StoragePath]) {
        var (here, there): ([StoragePath], [StoragePath]) = ([], [])
        for path in paths {
            switch path {
            case .local: here.append(path)
            case .s3: there.append(path)
            }
        }
        return (here, there)
    }

    /// The storage that a path is in.
    func storage(for path: StoragePath) -> any Storage {
        switch path {
        case .local: local
        case .s3: s3
        }
    }

    /// The storage that writes the data file of a path.
    func storage(forDataAt path: StoragePath) -> any Storage {
        switch path {
        case .local: local
        case .s3: s3Data ?? s3
        }
    }
}
