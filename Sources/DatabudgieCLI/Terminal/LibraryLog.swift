import Databudgie
import Logging

/// Where the libraries' log goes.
///
/// The libraries below log through swift-log, whose own default would write to standard error past the display.
enum LibraryLog {
    /// Sends all logs to a reporter, which shows them with `-vv`.
    ///
    /// To be called once in the life of the process.
    static func isShown(by reporter: RunDisplay) {
        LoggingSystem.bootstrap { label in ReporterLogHandler(label: label, reporter: reporter) }
    }
}

/// Hands log messages to a reporter.
private struct ReporterLogHandler: LogHandler {
    let label: String
    let reporter: RunDisplay
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    init(label: String, reporter: RunDisplay) {
        self.label = label
        self.reporter = reporter
        logLevel = reporter.verbosity >= .debug ? .debug : .error
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        reporter.handle(.detail("\(label): \(event.message)"))
    }
}
