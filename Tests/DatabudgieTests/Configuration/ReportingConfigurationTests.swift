import Testing

@testable import Databudgie

@Suite("How runs report, by the configuration")
struct ReportingConfigurationTests {
    @Test(
        "Logging levels may be names or Python's numbers",
        arguments: [
            ("debug", "DEBUG"), ("30", "WARNING"), ("WARN", "WARNING"), ("CRITICAL", "CRITICAL"),
            ("Fatal", "CRITICAL"), ("NotSet", "DEBUG"), ("0", "DEBUG"), ("20", "INFO"),
        ]
    )
    func logging(level: String, expected: String) throws {
        let configuration = try configuration("logging: {level: \(level), enabled: false}")
        #expect(configuration.logging == LoggingConfiguration(isEnabled: false, level: expected))
    }

    @Test("A command's own logging and sentry beat those of the root when it runs")
    func reportingOfACommand() throws {
        var fixture = ConfigurationFixture(
            """
            logging: {level: ERROR}
            sentry: {sentry_dsn: "https://key@root/1"}
            restore: {logging: {enabled: true, logging: DEBUG}, sentry: {dsn: "https://key@restore/1"}}
            """
        )
        for (action, level, host) in [
            (RunKind?.none, "ERROR", "root"), (.backup, "ERROR", "root"), (.restore, "DEBUG", "restore"),
        ] {
            fixture.action = action
            let loaded = try fixture.load()
            #expect(loaded.logging.level == level)
            #expect(loaded.sentry?.dsn.host == host)
            #expect(loaded.warnings.isEmpty)
        }
    }
}
