import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Subprocess
import Testing

@testable import Databudgie

@Suite("Metrics of runs")
struct MetricsRunTests {
    /// The lines of samples, by the metric's name without `databudgie_`.
    private func values(_ text: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" }.dropFirst("databudgie_".count)
            values[String(name)] = line.split(separator: " ").last.flatMap { Double($0) }
        }
        return values
    }

    private func values(_ fixture: RunFixture, _ file: String = "shop.prom") throws -> [String: Double] {
        values(try fixture.text(file))
    }

    /// What is wrong with a file by the rules of the text format (Prometheus documentation, "Exposition formats").
    private func problems(_ text: String) throws -> [String] {
        var problems = text.hasSuffix("\n") ? [] : ["the last line has no line break"]
        let number = #/-?[0-9]+(\.[0-9]+)?/#
        var named: (help: String, type: String) = ("", "")
        var known: Set<String> = []
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if let help = line.wholeMatch(of: #/# HELP ([a-z_]+) [A-Z][^\\]*\./#) {
                named.help = String(help.1)
            } else if let type = line.wholeMatch(of: #/# TYPE ([a-z_]+) gauge/#) {
                named.type = String(type.1)
            } else if let sample = line.wholeMatch(of: #/([a-z_]+)\{([a-z]+="([^"\\]|\\["\\n])*",?)+\} (.*)/#) {
                let name = String(sample.1)
                if named != (name, name) { problems.append("\(name) comes without its help and type") }
                if !known.insert(name).inserted { problems.append("\(name) comes twice") }
                if sample.4.wholeMatch(of: number) == nil { problems.append("\(name) is not a number") }
                let units = ["_seconds", "_bytes", "_tables", "_rows", "_success"]
                if !units.contains(where: name.hasSuffix) { problems.append("\(name) has no unit") }
            } else {
                problems.append("this line is nothing: \(line)")
            }
        }
        return problems
    }

    private func yaml(_ fixture: RunFixture, _ rest: String = "") -> String {
        """
        {root_location: \(fixture.folder), metrics: '\(fixture.folder)/shop.prom', truncate: true, tables: [public.t]\(rest)}
        """
    }

    @Test("A backup and a restore share a file; a failure keeps the last success and the newest set")
    func runs() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int); insert into t values (1), (2)")
            let log = EventLog()
            let begin = Date().timeIntervalSince1970
            let report = try await fixture.backup(yaml(fixture), events: log)
            let first = try values(fixture)
            let set = try #require(report.set.flatMap { RunTimestamp(id: $0)?.moment.timeIntervalSince1970 })
            #expect(first["backup_newest_complete_set_timestamp_seconds"] == set)
            #expect(first["backup_last_run_set_timestamp_seconds"] == set)
            #expect(first["backup_last_run_success"] == 1)
            #expect(first["backup_last_run_tables"] == 1)
            #expect(first["backup_last_run_failed_tables"] == 0)
            #expect(first["backup_last_run_rows"] == 2)
            #expect(first["backup_last_run_uncompressed_bytes"] == 7)
            #expect(first["backup_last_run_stored_bytes"] == 7)
            let success = try #require(first["backup_last_success_timestamp_seconds"])
            #expect(success == first["backup_last_run_timestamp_seconds"])
            #expect((begin - 1...Date().timeIntervalSince1970 + 1).contains(success))
            #expect(try #require(first["backup_last_run_duration_seconds"]) <= Date().timeIntervalSince1970 - begin)

            _ = try await fixture.restore(yaml(fixture), events: log)
            let both = try values(fixture)
            #expect(both.filter { $0.key.hasPrefix("backup_") } == first)
            #expect(both["restore_last_run_success"] == 1)
            #expect(both["restore_last_run_rows"] == 2)
            #expect(both["restore_last_run_set_timestamp_seconds"] == set)
            #expect(both["restore_newest_complete_set_timestamp_seconds"] == nil)

            let failing = yaml(fixture, ", backup: {tables: [{name: public.t, query: 'select 1 / 0'}]}")
            let failed = try await fixture.backup(failing, events: log)
            #expect(failed.failed.count == 1)
            let last = try values(fixture)
            #expect(last["backup_last_success_timestamp_seconds"] == success)
            #expect(last["backup_newest_complete_set_timestamp_seconds"] == set)
            #expect(last["backup_last_run_success"] == 0)
            #expect(last["backup_last_run_failed_tables"] == 1)
            #expect(last["backup_last_run_tables"] == 0)
            #expect(try #require(last["backup_last_run_timestamp_seconds"]) >= success)
            #expect(last.filter { $0.key.hasPrefix("restore_") } == both.filter { $0.key.hasPrefix("restore_") })
            #expect(log.warnings.isEmpty)
            #expect(try problems(fixture.text("shop.prom")) == [])
            #expect(try fixture.files().filter { $0.contains("prom") } == ["shop.prom"])
        }
    }

    @Test("A run that cannot connect, and one that is interrupted, are written down as well")
    func brokenRuns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            var configuration = try fixture.configuration(yaml(fixture))
            configuration.backup.run.connection?.keywords["dbname"] = "no_such_database"
            await #expect(throws: PostgresError.self) {
                try await BackupRun(configuration, environment: .reporting).run()
            }
            let failed = try values(fixture)
            #expect(failed["backup_last_run_success"] == 0)
            #expect(failed["backup_last_run_rows"] == 0)
            #expect(failed["backup_last_success_timestamp_seconds"] == nil)
            #expect(failed["backup_newest_complete_set_timestamp_seconds"] == nil)
            let log = EventLog()
            let slow = yaml(fixture, ", backup: {tables: [{query: 'select 1 from pg_sleep(600)', location: slow}]}")
            let run = Task { try await fixture.backup(slow, events: log) }
            try await poll("the query begins") { log.all.contains { if case .started = $0 { true } else { false } } }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            let interrupted = try values(fixture)
            #expect(interrupted["backup_last_run_success"] == 0)
            let times = try [failed, interrupted].map { try #require($0["backup_last_run_timestamp_seconds"]) }
            #expect(times == times.sorted())
            #expect(try problems(fixture.text("shop.prom")) == [])
        }
    }

    @Test(
        "Without an earlier file, and after sets were removed, the catalog knows; a catalog that is out of reach changes nothing"
    )
    func catalog() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            let (first, second) = (try await fixture.backup(yaml(fixture)), try await fixture.backup(yaml(fixture)))
            let moments = try [first, second].map { report in
                try #require(report.set.flatMap { RunTimestamp(id: $0)?.moment.timeIntervalSince1970 })
            }
            let failing = yaml(fixture, ", backup: {tables: [{name: public.t, query: 'select 1 / 0'}]}")
            try FileManager.default.removeItem(atPath: fixture.folder + "/shop.prom")
            _ = try await fixture.backup(failing)
            #expect(try values(fixture)["backup_newest_complete_set_timestamp_seconds"] == moments[1])
            let success = try #require(try values(fixture)["backup_last_success_timestamp_seconds"])
            #expect(success >= moments[1] && success == success.rounded())
            let removed = try #require(second.set)
            try FileManager.default.removeItem(atPath: fixture.folder + "/backups/catalog/\(removed).json")
            _ = try await fixture.backup(failing)
            #expect(try values(fixture)["backup_newest_complete_set_timestamp_seconds"] == moments[0])
            #expect(try values(fixture)["backup_last_success_timestamp_seconds"] == success)
            let lost = yaml(fixture, ", s3: {endpoint_url: 'http://127.0.0.1:1', region: r}")
            var configuration = try fixture.configuration(lost)
            configuration.backup.run.catalog = try StoragePath("s3://bucket/catalog")
            configuration.backup.run.connection?.keywords["dbname"] = "no_such_database"
            var environment = RunEnvironment.reporting
            environment.notificationTimeLimit = .milliseconds(200)
            await #expect(throws: PostgresError.self) {
                try await BackupRun(configuration, environment: environment).run()
            }
            #expect(try values(fixture)["backup_newest_complete_set_timestamp_seconds"] == moments[0])
            #expect(try values(fixture)["backup_last_success_timestamp_seconds"] == success)
        }
    }

    @Test("Another file is left alone, a missing folder is a warning, and a dry run writes nothing")
    func trouble() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            let log = EventLog()
            _ = try await fixture.backup(yaml(fixture), isDryRun: true, events: log)
            #expect(throws: (any Error).self) { try fixture.text("shop.prom") }
            try fixture.write("up 1\n", to: "shop.prom")
            _ = try await fixture.backup(yaml(fixture), events: log)
            #expect(try fixture.text("shop.prom") == "up 1\n")
            let path = "\(fixture.folder)/shop.prom"
            let lost =
                "{root_location: \(fixture.folder), metrics: '\(fixture.folder)/none/x.prom', tables: [public.t]}"
            #expect(try await fixture.backup(lost, events: log).isComplete)
            #expect(
                log.warnings == [
                    "metrics are not written: \(path) is not a file of metrics of databudgie; name another one under 'metrics', "
                        + "or remove it",
                    "metrics are not written to \(fixture.folder)/none/x.prom: No such file or directory; check that the folder "
                        + "exists and that you may write there",
                ]
            )
            #expect(try fixture.files().allSatisfy { !$0.hasSuffix(".tmp") })
            // An empty file, as touch makes it, is nobody's.
            try fixture.write("", to: "shop.prom")
            _ = try await fixture.backup(yaml(fixture), events: log)
            #expect(try values(fixture)["backup_last_run_success"] == 1)
        }
    }

    @Test("Whatever names there are, the text is well-formed; promtool, where it is installed, agrees")
    func format() async throws {
        let labels = [("name", "a\"b\\c\nd"), ("database", "é\u{301}\t'{}'")]
        let summary = RunSummary(
            RunResults(set: "2026-01-02T03:04:05").report(.backup, isDryRun: false, duration: .milliseconds(1500)),
            at: Date(timeIntervalSince1970: 1_770_000_000.25)
        )
        let set = NewestSet(moment: Date(timeIntervalSince1970: 1_770_000_000), finishedAt: nil)
        let text = [RunKind.backup, .restore].map {
            RunMetrics(summary, of: $0, newest: set, after: EarlierMetrics(), labels: labels).text
        }.joined()
        #expect(try problems(text) == [])
        #expect(
            text.hasPrefix(
                """
                # HELP databudgie_backup_last_success_timestamp_seconds When the last backup that was complete ended, in Unix time.
                # TYPE databudgie_backup_last_success_timestamp_seconds gauge
                databudgie_backup_last_success_timestamp_seconds{name="a\\"b\\\\c\\nd",database="é\u{301}\t'{}'"} 1770000000.25

                """
            )
        )
        #expect(text.contains("_duration_seconds{name=\"a\\\"b\\\\c\\nd\",database=\"é\u{301}\t'{}'\"} 1.5\n"))
        let earlier = try #require(EarlierMetrics(text))
        #expect(earlier.value(of: .lastSuccess, .restore) == 1_770_000_000.25)
        #expect(earlier.lines(without: .backup) + earlier.lines(without: .restore) != text)
        #expect(earlier.lines(without: .restore) + earlier.lines(without: .backup) == text)
        for foreign in ["up 1\n", text + "node_x 1\n", "# TYPE up gauge\n", "databudgie: {}\n"] {
            #expect(EarlierMetrics(foreign) == nil)
        }
        guard let promtool = Self.promtool else {
            print("Metrics of runs: promtool is not installed (Debian: prometheus), so it was not asked")
            return
        }
        let result = try await run(
            .name("env"),
            arguments: [promtool, "check", "metrics"],
            input: .string(text),
            output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16)
        )
        #expect(result.terminationStatus.isSuccess, "\(result.standardOutput)\(result.standardError)")
        #expect(result.standardOutput.isEmpty && result.standardError.isEmpty)
    }

    /// The path of promtool: that of the variable `TEST_PROMTOOL`, or one in PATH.
    private static var promtool: String? {
        let variables = ProcessInfo.processInfo.environment
        if let path = variables["TEST_PROMTOOL"] { return path }
        let folders = (variables["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/promtool" }.first(where: FileManager.default.isExecutableFile)
    }
}
