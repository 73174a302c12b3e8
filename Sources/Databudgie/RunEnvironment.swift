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
    /// The longest time that one notification may take.
    var notificationTimeLimit = Duration.seconds(10)
    /// How long it takes until a notification is sent again that was not delivered.
    var notificationPause = Duration.seconds(1)
    /// The folder in which rejected rows get a folder of their own.
    var rejectFolder = "."
    /// The age at which a backup's snapshot is reported, because it holds vacuum back.
    var snapshotAgeLimit = Duration.seconds(3_600)

    /// The least size of the ranges in which a large table is exported, in bytes.
    var rangeSize: Int64

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
        rangeSize = 64 << 20
        #if DATABUDGIE_FAIL_POINTS
            // Tests of the program have no large tables.
            if let size = variables["DATABUDGIE_FAIL_POINT_RANGE_SIZE"].flatMap(Int64.init) { rangeSize = size }
        #endif
    }
}
