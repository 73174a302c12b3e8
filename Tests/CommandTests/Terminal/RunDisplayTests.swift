import Databudgie
import Foundation
import Synchronization
import Testing

@testable import struct Databudgie.RunReport
@testable import struct Databudgie.TableFailure
@testable import struct Databudgie.TransferTotals
@testable import DatabudgieCLI

@Suite("Reporting a run")
struct RunReporterTests {
    /// What a reporter has written to standard error.
    private final class Written: Sendable {
        private let state = Mutex("")

        var text: String { state.withLock { $0 } }

        func append(_ text: String) { state.withLock { $0 += text } }
    }

    private let written = Written()

    private func reporter(_ mode: RunDisplay.Mode, _ verbosity: Verbosity = .progress) -> RunDisplay {
        RunDisplay(
            mode: mode,
            verbosity: verbosity,
            style: .plain,
            surroundings: RunDisplay.Surroundings(
                write: { [written] in written.append($0) },
                size: { mode == .live ? StandardStream.Size(columns: 80, lines: 24) : nil },
                elapsed: { .seconds(1) },
                now: { Date(timeIntervalSince1970: 0) }
            )
        )
    }

    private let events: [RunEvent] = [
        examplePlan, .detail("the plan"), .started(.products), .progressed(.products, .small), .finished(.products),
        .warning("careful"), .skipped(.customers, reason: "it exists"), .started(.sales),
        .failed(.sales, message: "public.sales: permission denied"),
    ]

    @Test("writes a line per finished table, and messages, to a pipe")
    func plain() {
        let reporter = reporter(.plain)
        events.forEach(reporter.handle)
        #expect(
            written.text == """
                public.products: 1,200 rows, 45.6 kB (12.0 kB as stored) in 120 ms to \
                backups/public.products/2026-01-02T03:04:05.csv.gz
                databudgie: warning: careful
                public.customers: skipped: it exists
                databudgie: error: public.sales: permission denied

                """
        )
    }

    @Test("tells details when asked")
    func details() {
        let reporter = reporter(.plain, .details)
        events.forEach(reporter.handle)
        #expect(written.text.hasPrefix("databudgie: the plan\n"))
    }

    @Test("tells only failures when the configuration silences the log")
    func errorsOnly() {
        let reporter = reporter(.plain, .errors)
        events.forEach(reporter.handle)
        reporter.summary(.example(), hasTable: true)
        #expect(written.text == "databudgie: error: public.sales: permission denied\n")
    }

    @Test("tells machines as little as people when the configuration silences the log, but always how the run ended")
    func errorsOnlyAsJSON() {
        let reporter = reporter(.json, .errors)
        events.forEach(reporter.handle)
        reporter.summary(.example(), hasTable: true)
        let lines = written.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains(#""event":"failed""#) == true)
        #expect(lines.last?.contains(#""event":"summary""#) == true)
    }

    @Test("says a failure once when there is nothing else to tell")
    func onlyFailures() {
        let reporter = reporter(.plain)
        let failure = TableFailure(label: .sales, message: "public.sales: permission denied")
        reporter.handle(.failed(failure.label, message: failure.message))
        let report = RunReport(
            action: .backup,
            finished: [],
            skipped: [],
            failed: [failure],
            duration: .zero,
            isDryRun: false
        )
        reporter.summary(report, hasTable: true)
        #expect(
            written.text == """
                databudgie: error: public.sales: permission denied
                Backup finished with failures: 0 tables, 0 rows, 0 B, 1 failed in 0 ms.

                """
        )
    }

    @Test("writes a JSON object per event and nothing else for machines")
    func json() throws {
        let reporter = reporter(.json)
        events.forEach(reporter.handle)
        reporter.interrupting()
        reporter.close()
        reporter.summary(.example(), hasTable: true)
        let names = try written.text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object?["event"] as? String)
        }
        #expect(
            names == [
                "planned", "started", "progressed", "finished", "warning", "skipped", "started", "failed", "summary",
            ]
        )
    }

    @Test("keeps messages above the live lines and takes the lines away at the end")
    func live() {
        let reporter = reporter(.live)
        reporter.handle(examplePlan)
        reporter.handle(.warning("careful"))
        #expect(written.text.hasPrefix("databudgie: warning: careful\n0 of 3 tables"))
        reporter.handle(.warning("more"))
        #expect(written.text.contains("\r\u{1B}[1A\u{1B}[Jdatabudgie: warning: more\n0 of 3 tables"))
        reporter.close()
        #expect(written.text.hasSuffix("\r\u{1B}[1A\u{1B}[J"))
        reporter.handle(.warning("late"))
        #expect(written.text.hasSuffix("\u{1B}[Jdatabudgie: warning: late\n"))
    }

    @Test("draws while the run lasts")
    func drawing() async throws {
        let reporter = reporter(.live)
        reporter.handle(examplePlan)
        try await reporter.whileDrawing {
            while !written.text.contains("0 of 3 tables") { await Task.yield() }
        }
    }

    @Test(
        "says what an interrupted run leaves behind",
        arguments: [
            (RunKind.backup, 0, "nothing was written"),
            (.backup, 1, "1 finished table keeps its file, nothing is left of the others"),
            (.backup, 2, "2 finished tables keep their files, nothing is left of the others"),
            (.restore, 1, "1 finished table stays restored, the others are as they were"),
            (.restore, 2, "2 finished tables stay restored, the others are as they were"),
        ]
    )
    func interruption(action: RunKind, finished: Int, expected: String) {
        var state = RunState()
        state.apply(.planned(action, []), at: .zero)
        for report in [TableReport.products, .sales].prefix(finished) {
            state.apply(.finished(report), at: .zero)
        }
        #expect(PlainLine.interrupted(state) == "databudgie: interrupted: \(expected).")
    }
}
