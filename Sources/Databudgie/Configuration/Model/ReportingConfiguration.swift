/// Settings of the `logging` key.
public struct LoggingConfiguration: Sendable, Equatable {
    /// Messages are written at all.
    public var enabled: Bool = true
    /// A level's name as Python's logging knows it: DEBUG, INFO, WARNING, ERROR, CRITICAL.
    public var level: String = "INFO"

    static let levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

    /// A level's name for what stands in a configuration.
    ///
    /// - Parameter text: A name in any case, another name that Python's logging has for it, or its number there.
    /// - Returns: One of ``levels``; nil when there is no such level.
    static func levelName(_ text: String) -> String? {
        switch text.uppercased() {
        case "NOTSET", "0", "10": "DEBUG"
        case "20": "INFO"
        case "WARN", "30": "WARNING"
        case "40": "ERROR"
        case "FATAL", "50": "CRITICAL"
        case let name: levels.contains(name) ? name : nil
        }
    }
}

/// Settings of the `sentry` key.
public struct SentryConfiguration: Sendable, Equatable {
    /// The address that failures are sent to; its user part is a secret.
    public var dsn: SentryDSN
    /// The release that is reported; nil stands for databudgie's own.
    public var version: String?
    /// The environment that is reported.
    public var environment: String?
}
