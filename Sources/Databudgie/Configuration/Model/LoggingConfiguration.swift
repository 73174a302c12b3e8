/// Settings of the `logging` key.
public struct LoggingConfiguration: Sendable, Equatable {
    /// Messages are written at all.
    public var isEnabled: Bool
    /// A level's name as Python's logging knows it: DEBUG, INFO, WARNING, ERROR, CRITICAL.
    public var level: String

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - isEnabled: Messages are written at all.
    ///   - level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
    public init(isEnabled: Bool = true, level: String = "INFO") {
        self.isEnabled = isEnabled
        self.level = level
    }

    static let levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

    /// A level's name for what a configuration holds.
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
