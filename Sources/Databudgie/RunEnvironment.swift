public import Foundation

/// What a run takes from its surroundings, so that tests and embedding programs can decide it.
public struct RunEnvironment: Sendable {
    /// Queries and checks run, and nothing is written (`--dry-run`).
    public var isDryRun = false
    /// Environment variables, for credentials and endpoints of the storage.
    public var environment: [String: String] = ProcessInfo.processInfo.environment
    /// The moment that `{timestamp}` and `{date}` stand for.
    public var now = Date()
    /// The longest time that reports of failures may take, all of a run together.
    var reportingTimeLimit = Duration.seconds(5)

    /// Takes the process's environment and the present moment.
    public init() {}
}
