public import Foundation

/// What a run takes from its surroundings, so that tests and embedding programs can decide it.
public struct RunEnvironment: Sendable {
    /// Environment variables, for credentials and endpoints of the storage and for pg_dump.
    public var variables: [String: String]
    /// The moment that `{timestamp}` and `{date}` mean.
    public var now: Date
    /// How many cores this machine has for the process.
    var cores = ProcessInfo.processInfo.activeProcessorCount
    /// The longest time that reports of failures may take, all of a run together.
    var reportingTimeLimit = Duration.seconds(5)
    /// The folder in which rejected rows get a folder of their own.
    var rejectFolder = "."
    /// The age at which a backup's snapshot is reported, because it holds vacuum back.
    var snapshotAgeLimit = Duration.seconds(3_600)

    /// Creates surroundings: by default those of the process at this moment.
    ///
    /// - Parameters:
    ///   - variables: Environment variables by name.
    ///   - now: The moment that `{timestamp}` and `{date}` mean.
    public init(
        variables: [String: String] = ProcessInfo.processInfo.environment,
        now: Date = Date()
    ) {
        self.variables = variables
        self.now = now
    }
}
