import Foundation
public import Postgres
import Storage

/// Verifies sets by restoring them: each into a database of its own, which is compared with the set and removed again.
///
///     let verified = try await Drill(configuration).run("latest")
///     if verified.hasFindings { print(verified.outcome) }
///
/// Before, the files are read as by a ``Verification`` at the level `rows`. No other database is changed, and the options of
/// the configuration's restore have no effect.
public struct Drill: Sendable {
    private let configuration: Configuration
    private let kind: RunKind
    private let server: ConnectionParameters?
    private let isAgainstSource: Bool
    private let jobs: Int
    private let environment: RunEnvironment

    /// Prepares a drill; nothing is done before ``run(_:onEvent:)`` or ``runAll(onEvent:)``.
    ///
    /// - Parameters:
    ///   - configuration: Says where the records are, and what is known of their tables.
    ///   - kind: Whose catalog it is: that of the configuration's backup or that of its restore.
    ///   - server: A database of the server on which databases are created; nil: that of the configuration's restore.
    ///   - isAgainstSource: The restored rows are also compared with those of the database of the configuration's backup.
    ///   - jobs: How many files are read at once.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for kind: RunKind = .backup,
        on server: ConnectionParameters? = nil,
        isAgainstSource: Bool = false,
        jobs: Int = Verification.standardJobs,
        environment: RunEnvironment = RunEnvironment()
    ) {
        (self.configuration, self.kind, self.server) = (configuration, kind, server)
        (self.isAgainstSource, self.jobs, self.environment) = (isAgainstSource, jobs, environment)
    }

    /// Restores one set and compares it.
    ///
    /// Cancelling the task removes the database.
    /// - Parameters:
    ///   - name: `latest`, an id, or as much of its beginning as no other set has.
    ///   - onEvent: Receives what happens, from any task.
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` when there is no such set, its record cannot be used, or no database can be created;
    ///   `PostgresError`, `StorageError` when the server or the storage cannot be used; `CancellationError`.
    @discardableResult
    public func run(
        _ name: String = "latest",
        onEvent: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws -> VerifiedSet {
        try await verification(onEvent).run(name, onEvent: onEvent)
    }

    /// Restores and compares all sets, newest first.
    ///
    /// - Parameter onEvent: Receives what happens, from any task.
    /// - Returns: What was found; a record that cannot be used is among it.
    /// - Throws: As ``run(_:onEvent:)`` does; ``DatabudgieError`` when there are no sets.
    @discardableResult
    public func runAll(
        onEvent: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws -> [VerifiedSet] {
        try await verification(onEvent).runAll(onEvent: onEvent)
    }

    private func verification(_ onEvent: @escaping @Sendable (VerificationEvent) -> Void) throws -> Verification {
        var verification = Verification(
            configuration,
            for: kind,
            level: .restore,
            jobs: jobs,
            environment: environment
        )
        let run = DrillRun(
            configuration: configuration,
            kind: kind,
            server: try server ?? configuration.database(for: .restore),
            isRestoreServer: server == nil,
            source: isAgainstSource ? try configuration.database(for: .backup) : nil,
            environment: environment,
            onEvent: onEvent
        )
        verification.trial = SetTrial(check: run.check, run: run.run)
        return verification
    }
}
