import Databudgie
import Testing

@testable import struct Databudgie.LoggingConfiguration
@testable import DatabudgieCLI

@Suite("Verbosity")
struct VerbosityTests {
    @Test(
        "Verbosity follows the logging level, and flags raise it",
        arguments: [
            (true, "INFO", 0, Verbosity.progress), (true, "INFO", 1, .details), (true, "info", 2, .debug),
            (true, "WARNING", 0, .warnings), (true, "ERROR", 0, .errors), (true, "DEBUG", 0, .details),
            (false, "DEBUG", 0, .errors), (false, "INFO", 1, .details),
        ]
    )
    func levels(isEnabled: Bool, level: String, flags: Int, expected: Verbosity) {
        let logging = LoggingConfiguration(isEnabled: isEnabled, level: level)
        #expect(Verbosity(logging, verboseFlags: flags) == expected)
    }
}
