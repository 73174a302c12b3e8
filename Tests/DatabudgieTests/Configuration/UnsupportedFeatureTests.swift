import Testing

@testable import Databudgie

@Suite("Features that are read and not supported yet")
struct UnsupportedFeatureTests {
    @Test(
        "What is asked for and cannot be done is reported with its place",
        arguments: [
            ("tables: [{name: a, strategy: use_latest_set}]", "'strategy: use_latest_set'", "r")
        ]
    )
    func features(yaml: String, feature: String, actions: String) throws {
        let configuration = try configuration(yaml)
        for (action, letter) in [(RunKind.backup, "b"), (.restore, "r")] {
            let line =
                "test.yaml:1: \(feature) is not supported yet in a \(action.rawValue); remove it to continue without"
            #expect(configuration.unsupportedFeatures(for: action) == (actions.contains(letter) ? [line] : []))
        }
    }

    @Test(
        "What is not asked for is not reported",
        arguments: [
            "tables: [a]",
            "ddl: true\nmanifest: m\nsequences: false\nfollow_foreign_keys: true\ntruncate: cascade\ntables: [a]",
            "strategy: use_latest_filename\ntruncate: true\ntables: [{name: a, ddl: true}]",
            "sequences: true\ntables: [{name: a, sequences: true}]", "restore: {ddl: {enabled: true, clean: true}}",
        ]
    )
    func silence(yaml: String) throws {
        let configuration = try configuration(yaml)
        #expect(configuration.unsupportedFeatures(for: .backup).isEmpty)
        #expect(configuration.unsupportedFeatures(for: .restore).isEmpty)
    }

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
