/// Settings of the `logging` key.
public struct LoggingConfiguration: Sendable, Equatable {
    /// Messages are written at all.
    public var enabled: Bool = true
    /// A level's name as Python's logging knows it: DEBUG, INFO, WARNING, ERROR, CRITICAL.
    public var level: String = "INFO"

    static let levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
}

/// Settings of the `sentry` key.
public struct SentryConfiguration: Sendable, Equatable {
    /// The address that failures were sent to; its user part is a secret.
    public var dsn: String
    /// The release that was reported.
    public var version: String?
}
