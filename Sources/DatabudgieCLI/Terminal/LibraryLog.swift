import Databudgie
import Logging

/// Where the libraries' log goes.
///
/// The libraries below log through swift-log, whose own default would write to standard error past the display.
enum LibraryLog {
    /// Sends all logs to a display, which shows them with `-vv`.
    ///
    /// To be called once in the life of the process.
    static func bootstrap(to display: RunDisplay) {
        LoggingSystem.bootstrap { label in DisplayLogHandler(label: label, display: display) }
    }
}

/// Hands log messages to a display.
private struct DisplayLogHandler: LogHandler {
    let label: String
    let display: RunDisplay
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    init(label: String, display: RunDisplay) {
        self.label = label
        self.display = display
        logLevel = display.verbosity >= .debug ? .debug : .error
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        display.handle(.found(Finding(.note, "\(label): \(event.message)")))
    }
}
