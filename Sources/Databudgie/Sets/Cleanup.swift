public import Foundation
import Storage

/// Finds and removes what backups have left that were broken off: temporary files, and unfinished uploads to S3.
///
///     let cleanup = Cleanup(configuration)
///     let left = try await cleanup.find()
///     try await cleanup.remove(left)
///
/// A backup that fails or is interrupted leaves nothing; one that is killed, or whose machine goes down, does. On a disk
/// such files have names that only databudgie gives. An upload has no mark that could be seen from outside, so it counts
/// as ours when its key is one that this configuration gives to files.
public struct Cleanup: Sendable {
    /// How long a write must have made no progress, in seconds: one day.
    ///
    /// Nothing younger is touched, because a backup may still be working on it.
    public static let age: TimeInterval = 86_400

    private let configuration: Configuration
    private let environment: RunEnvironment

    /// Prepares a cleanup; nothing is done before ``find()``.
    ///
    /// - Parameters:
    ///   - configuration: Its backup's locations are searched.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Searches all locations of the configuration's backup, those of definitions and sequences included.
    ///
    /// - Returns: What is left there and older than a day, sorted by path.
    /// - Throws: `StorageError` when a location cannot be searched; `CancellationError`.
    public func find() async throws -> [Leftover] {
        let places = try CleanupPlaces(configuration.backup)
        let limit = environment.now.addingTimeInterval(-Self.age)
        return try await withStorages { storages in
            let found = try await places.folders.concurrentMap { folder in
                try await storages.storage(for: folder).unfinishedWrites(folder, before: limit)
            }
            return Set(found.flatMap(\.self)).filter { places.isOurs($0.path) }.sorted {
                ($0.path, $0.modified) < ($1.path, $1.modified)
            }.map { Leftover(write: $0) }
        }
    }

    /// Removes what was found.
    ///
    /// - Parameter leftovers: What ``find()`` has returned, or some of it.
    /// - Throws: `StorageError` for the first that could not be removed, after all others were tried; `CancellationError`.
    public func remove(_ leftovers: [Leftover]) async throws {
        try await withStorages { storages in
            var firstFailure: StorageError?
            for write in leftovers.map(\.write) {
                try Task.checkCancellation()
                do {
                    await FailPoint.reached(.leftoverUnremoved)
                    try await storages.storage(for: write.path).discard(write)
                    await FailPoint.reached(.leftoverRemoved)
                } catch let error as StorageError {
                    firstFailure = firstFailure ?? error
                }
            }
            if let firstFailure { throw firstFailure }
        }
    }

    private func withStorages<Result>(_ body: (StorageRouter) async throws -> Result) async throws -> Result {
        try await StorageRouter.withStorages(of: configuration.backup.run, in: environment, body)
    }
}
