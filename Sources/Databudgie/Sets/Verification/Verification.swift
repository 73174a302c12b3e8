import Foundation
import Storage

/// Verifies sets: whether their files are there, have the bytes that were written, and hold the recorded rows.
///
///     let verified = try await Verification(configuration).run("latest")
///     if verified.hasFindings { print(verified.outcome) }
///
/// Nothing is changed but the result that is stored beside each record.
public struct Verification: Sendable {
    /// How many files are read at once unless said otherwise: as many as there are processors, from 2 to 8.
    public static let standardJobs = min(max(ProcessInfo.processInfo.activeProcessorCount, 2), 8)

    /// How many sets are looked at together when no file is read.
    private static let setsAtOnce = 4

    private let access: CatalogAccess
    private let level: SetVerification.Level
    private let jobs: Int
    /// A large file is read in parts of so many bytes.
    var partSize = DataFileCheck.partSize
    /// What is done after the files were read, at the level `restore`.
    var trial: SetTrial?

    /// Prepares a verification; nothing is read before ``run(_:onEvent:)`` or ``runAll(onEvent:)``.
    ///
    /// - Parameters:
    ///   - configuration: Says where the records are.
    ///   - kind: Whose catalog it is: that of the configuration's backup or that of its restore.
    ///   - level: How thoroughly sets are verified; at the level `restore` by a ``Drill`` alone.
    ///   - jobs: How many files are read at once.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for kind: RunKind = .backup,
        level: SetVerification.Level = .hashes,
        jobs: Int = Verification.standardJobs,
        environment: RunEnvironment = RunEnvironment()
    ) {
        access = CatalogAccess(configuration: configuration, kind: kind, environment: environment)
        (self.level, self.jobs) = (level, max(1, jobs))
    }

    /// Verifies one set.
    ///
    /// - Parameters:
    ///   - name: `latest`, an id, or as much of its beginning as no other set has.
    ///   - onEvent: Receives what happens, from any task.
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` when there is no such set, or its record cannot be used; `StorageError` when the storage
    ///   cannot be reached; `CancellationError`.
    @discardableResult
    public func run(
        _ name: String = "latest",
        onEvent: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws -> VerifiedSet {
        try checkLevel()
        return try await access.withCatalog { catalog in
            let (id, passedOver) = try await catalog.find(name)
            for warning in passedOver { onEvent(.progress(.found(warning))) }
            return try await check(catalog, onEvent).run(id, try await catalog.record(id))
        }
    }

    /// Verifies all sets, newest first.
    ///
    /// - Parameter onEvent: Receives what happens, from any task.
    /// - Returns: What was found; a record that cannot be used is among it.
    /// - Throws: ``DatabudgieError`` when there are no sets; `StorageError` when the storage cannot be reached;
    ///   `CancellationError`.
    @discardableResult
    public func runAll(
        onEvent: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws -> [VerifiedSet] {
        try checkLevel()
        return try await access.withCatalog { catalog in
            let entries = try await catalog.entries().filter { $0.record != nil }
            guard !entries.isEmpty else {
                throw DatabudgieError(.nothingToDo, "there are no sets in \(catalog.folder)")
            }
            let check = check(catalog, onEvent)
            let limit = level == .files ? Self.setsAtOnce : 1
            return try await entries.concurrentMap(limit: limit) { entry in
                try await Self.verify(entry.id, check, catalog)
            }.compactMap(\.self)
        }
    }

    private func checkLevel() throws(DatabudgieError) {
        guard level == .restore, trial == nil else { return }
        throw DatabudgieError(
            .configuration,
            "a verification by restoring needs a database server",
            hint: "use a drill"
        )
    }

    /// - Returns: nil for a set that has been removed since it was listed.
    private static func verify(_ id: String, _ check: SetCheck, _ catalog: SetCatalog) async throws -> VerifiedSet? {
        switch try await FileFailure.result({ try await catalog.record(id) }) {
        case .success(let record):
            return try await check.run(id, record)
        case .failure(let error):
            if (error.underlying as? StorageError)?.code == .notFound { return nil }
            let damage = SetVerification.Damage(message: error.message)
            check.onEvent(.found(set: id, damage, file: nil))
            let verified = VerifiedSet(id: id, level: check.level, unreadable: error.message)
            check.onEvent(.ended(verified))
            return verified
        }
    }

    private func check(_ catalog: SetCatalog, _ onEvent: @escaping @Sendable (VerificationEvent) -> Void) -> SetCheck {
        SetCheck(
            catalog: catalog,
            level: level,
            jobs: jobs,
            partSize: partSize,
            isDryRun: access.configuration.run(for: access.kind).isDryRun,
            inPlace: FilesInPlace(paths: catalog.paths, storages: catalog.storages),
            trial: trial,
            now: access.environment.now,
            onEvent: onEvent
        )
    }
}
