import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Notifications of runs")
struct NotificationRunTests {
    /// The keys of a summary.
    private func summary(_ request: LoopbackService.Request) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(request.bytes)) as? [String: Any])
    }

    private func withReceiver(
        _ body: @Sendable @escaping (RunFixture, LoopbackService) async throws -> Void
    ) async throws {
        try await RunFixture.with { fixture in
            try await LoopbackService.withService { _ in
                LoopbackService.Reply(200, "OK")
            } _: { service in
                try await body(fixture, service)
            }
        }
    }

    @Test("A check gets the beginning and the end of a backup and of a restore, each with its summary")
    func success() async throws {
        try await withReceiver { fixture, service in
            try await fixture.onBoth("create table t (id int); insert into t values (1), (2)")
            let yaml = """
                {root_location: \(fixture.folder), environment: staging, truncate: true, tables: [public.t],
                 backup: {notify: {healthchecks: '\(service.endpoint)/backup?create=1'}},
                 restore: {notify: {healthchecks: '\(service.endpoint)/restore'}}}
                """
            let log = EventLog()
            let report = try await fixture.backup(yaml, events: log)
            _ = try await fixture.restore(yaml, events: log)
            #expect(log.warnings.isEmpty)
            #expect(
                service.requests.map { "\($0.method) \($0.target)" } == [
                    "POST /backup/start?create=1", "POST /backup?create=1", "POST /restore/start", "POST /restore",
                ]
            )
            for request in service.requests {
                #expect(request.headers["content-type"] == "application/json")
                #expect(request.headers["user-agent"] == "databudgie/\(DatabudgieVersion.current)")
                let summary = try summary(request)
                #expect(summary["environment"] as? String == "staging")
                #expect(summary["host"] as? String == ProcessInfo.processInfo.hostName)
                #expect((summary["text"] as? String)?.contains("(staging)") == true)
                let isRestore = request.path.hasPrefix("/restore")
                #expect(summary["action"] as? String == (isRestore ? "restore" : "backup"))
                let database = isRestore ? fixture.target : fixture.source
                #expect(summary["database"] as? String == database.keywords["dbname"])
            }
            let start = try summary(service.requests[0])
            #expect(
                Set(start.keys) == ["action", "database", "environment", "event", "host", "text", "time"]
            )
            #expect(start["event"] as? String == "start")
            let end = try summary(service.requests[1])
            #expect(end["event"] as? String == "success")
            #expect(end["status"] as? String == "complete")
            #expect(end["set"] as? String == report.set)
            #expect(end["rows"] as? Int == 2)
            #expect(end["finished"] as? Int == 1)
            #expect(end["failures"] == nil)
            let text = try #require(end["text"] as? String)
            #expect(text.contains("is complete on ") && text.contains(": 1 table, 2 rows, 7 bytes in "))
        }
    }

    @Test("Failed tables are named with their SQLSTATE, and no value of a row is")
    func partial() async throws {
        try await withReceiver { fixture, service in
            try await fixture.onBoth(
                """
                create table good (id int); create table bad (secretvalue text); insert into bad values ('secretvalue')
                """
            )
            let report = try await fixture.backup(
                """
                {root_location: \(fixture.folder), notify: {healthchecks: '\(service.endpoint)/check'},
                 tables: [public.good, {name: public.bad, query: 'select secretvalue::int from {table}'}]}
                """
            )
            #expect(report.failed.count == 1)
            #expect(service.requests.map(\.path) == ["/check/start", "/check/fail"])
            let body = service.requests[1].body
            #expect(!body.contains("secret"))
            let summary = try summary(service.requests[1])
            #expect(summary["event"] as? String == "failure")
            #expect(summary["status"] as? String == "partial")
            #expect(summary["finished"] as? Int == 1)
            #expect(summary["failed"] as? Int == 1)
            let failures = try #require(summary["failures"] as? [[String: String]])
            #expect(
                failures == [
                    [
                        "table": "public.bad", "sqlstate": "22P02",
                        "reason": "the server reported SQLSTATE 22P02 (invalid text representation)",
                    ]
                ]
            )
            #expect((summary["text"] as? String)?.contains("public.bad: the server reported") == true)
        }
    }

    @Test("A run that cannot connect, and one whose settings cannot be, are failures without a word of the connection")
    func failure() async throws {
        try await withReceiver { fixture, service in
            var configuration = try fixture.configuration(
                "{root_location: \(fixture.folder), notify: {url: '\(service.endpoint)/hook'}, tables: [public.t]}"
            )
            configuration.backup.run.connection?.keywords["dbname"] = "no_such_database"
            configuration.backup.run.connection?.keywords["password"] = "secret"
            await #expect(throws: PostgresError.self) {
                try await BackupRun(configuration, environment: .reporting).run()
            }
            let failed = try summary(try #require(service.requests.last))
            #expect(failed["event"] as? String == "failure")
            #expect(failed["status"] as? String == "failed")
            #expect(failed["finished"] as? Int == 0)
            #expect((failed["failures"] as? [[String: String]])?.map { $0["sqlstate"] } == ["3D000"])
            configuration.restore.run.connection = nil
            await #expect(throws: DatabudgieError.self) {
                try await RestoreRun(configuration, environment: .reporting).run()
            }
            #expect(service.requests.count == 4)
            let refused = try summary(try #require(service.requests.last))
            #expect(refused["action"] as? String == "restore")
            #expect((refused["text"] as? String)?.hasSuffix("the configuration cannot be used") == true)
            #expect(service.requests.allSatisfy { !$0.body.contains("secret") })
        }
    }

    @Test("A run that is interrupted is a failure")
    func interruption() async throws {
        try await withReceiver { fixture, service in
            try await fixture.onBoth("create table t (id int); insert into t values (1)")
            let log = EventLog()
            let yaml = """
                {root_location: \(fixture.folder), notify: {healthchecks: '\(service.endpoint)/check'},
                 tables: [public.t, {query: 'select 1 from pg_sleep(600)', location: slow}]}
                """
            let run = Task { try await fixture.backup(yaml, events: log) }
            try await poll("the second query begins") {
                log.all.contains { if case .started(let job) = $0 { job.number == 1 } else { false } }
            }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            #expect(service.requests.map(\.path) == ["/check/start", "/check/fail"])
            let summary = try summary(try #require(service.requests.last))
            #expect(summary["status"] as? String == "interrupted")
            #expect(summary["finished"] as? Int == 1)
            #expect(log.warnings.isEmpty)
        }
    }

    @Test("A dry run, a plan and a drill notify nobody")
    func silence() async throws {
        try await withReceiver { fixture, service in
            try await fixture.onBoth("create table t (id int); insert into t values (1)")
            let tables = "root_location: \(fixture.folder), tables: [public.t]"
            _ = try await fixture.backup("{\(tables)}")
            let yaml = "{notify: {url: '\(service.endpoint)/hook'}, \(tables)}"
            _ = try await fixture.backup(yaml, isDryRun: true)
            _ = try await fixture.restore(yaml, isDryRun: true)
            _ = try await BackupRun(fixture.configuration(yaml), environment: .reporting).plan()
            _ = try await RestoreRun(fixture.configuration(yaml), environment: .reporting).plan()
            _ = try await Drill(fixture.configuration(yaml), environment: .reporting).run()
            #expect(service.requests.isEmpty)
        }
    }

    @Test("Each receiver gets the events, the form and the headers that it asks for")
    func receivers() async throws {
        try await withReceiver { fixture, service in
            try await fixture.onBoth("create table t (id int)")
            let address = service.endpoint.replacing("://", with: "://me:pass@")
            let log = EventLog()
            _ = try await fixture.backup(
                """
                root_location: \(fixture.folder)
                tables: [public.t]
                notify:
                  - {url: "\(address)/text", format: text, events: [success, failure], headers: {Title: a backup}}
                  - {url: "\(service.endpoint)/json", events: start, headers: {authorization: Bearer t, Content-Type: text/x}}
                  - {url: "\(service.endpoint)/failure", events: failure}
                  - command: [/bin/sh, -c, 'cat >"$1/$DATABUDGIE_EVENT"; echo "$DATABUDGIE_ACTION: $DATABUDGIE_TEXT" >"$1/text"', sh, '\(fixture.folder)']
                """,
                events: log
            )
            #expect(log.warnings.isEmpty)
            let requests = Dictionary(grouping: service.requests, by: \.path)
            #expect(requests.mapValues(\.count) == ["/text": 1, "/json": 1])
            let text = try #require(requests["/text"]?.first)
            #expect(text.headers["title"] == "a backup")
            #expect(text.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(text.headers["authorization"] == "Basic bWU6cGFzcw==")
            #expect(text.body.hasPrefix("backup of the database "))
            let json = try #require(requests["/json"]?.first)
            #expect(json.headers["authorization"] == "Bearer t")
            #expect(json.headers["content-type"] == "text/x")
            #expect(try summary(json)["event"] as? String == "start")
            let (start, success) = (try fixture.text("start"), try fixture.text("success"))
            #expect(start.contains(#""event":"start""#) && start.hasSuffix("}"))
            #expect(success.contains(#""event":"success""#) && success.contains(#""finished":1"#))
            #expect(try fixture.text("text") == "backup: \(text.body)\n")
        }
    }

    @Test("Twenty failures are named, and all are counted")
    func manyFailures() async throws {
        let failures = (0..<30).map { number in
            JobFailure(
                JobID(
                    number == 0 ? .sequences : .rows,
                    of: "public." + String(repeating: "é", count: 300),
                    number: number
                ),
                PostgresError(.serverError, "division by zero", sqlState: "22012")
            )
        }
        let report = RunResults(jobs: failures.map { .failed($0) }).report(.restore, isDryRun: false, duration: .zero)
        var summary = RunSummary(report, at: Date())
        summary.name(report.failed)
        summary.text = summary.sentence
        let object = try #require(try JSONSerialization.jsonObject(with: Data(summary.json.utf8)) as? [String: Any])
        let named = try #require(object["failures"] as? [[String: String]])
        #expect(named.count == 20)
        #expect(named.allSatisfy { $0["table"]?.unicodeScalars.count == 200 })
        #expect(named.map { $0["subject"] }.prefix(2) == ["sequences", nil])
        #expect(object["failed"] as? Int == 30)
        #expect((object["text"] as? String)?.hasSuffix("; and 27 more") == true)
        // A pipe holds 64 KiB.
        #expect(summary.json.utf8.count < 1 << 15)
    }
}
