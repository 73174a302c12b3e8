import Databudgie
import Foundation
import Synchronization
import Testing

@testable import struct Databudgie.JobFailure
@testable import struct Databudgie.JobOutcome
@testable import struct Databudgie.RunReport
@testable import DatabudgieCLI

@Suite("The display of a run")
struct RunDisplayTests {
    /// What a display has written to standard error.
    private final class Written: Sendable {
        private let state = Mutex("")

        var text: String { state.withLock { $0 } }

        func append(_ text: String) { state.withLock { $0 += text } }
    }

    private let written = Written()

    private func display(_ mode: RunDisplay.Mode, _ verbosity: Verbosity = .progress) -> RunDisplay {
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
        examplePlan, .note("the plan"), .started(.products), .progressed(.products, .small), .finished(.products),
        .warning("careful"), .skipped(.customers), .started(.sales),
        .failed(.sales),
    ]

    @Test("A pipe gets a line per finished table, and messages")
    func plain() {
        let display = display(.plain)
        events.forEach(display.handle)
        #expect(
            written.text == """
                public.products: 1,200 rows, 45.6 kB (12.0 kB as stored) in 120 ms to \
                backups/public.products/2026-01-02T03:04:05.csv.gz
                databudgie: warning: careful
                public.customers: skipped: it exists
                databudgie: error: public.sales: permission denied
                  hint: grant SELECT on the table

                """
        )
    }

    @Test("Details are shown when they are asked for")
    func details() {
        let display = display(.plain, .details)
        events.forEach(display.handle)
        #expect(written.text.hasPrefix("databudgie: the plan\n"))
    }

    @Test("Only failures are shown when the configuration silences the log")
    func errorsOnly() {
        let display = display(.plain, .errors)
        events.forEach(display.handle)
        display.summary(.example(), hasTable: true)
        #expect(
            written.text == """
                databudgie: error: public.sales: permission denied
                  hint: grant SELECT on the table

                """
        )
    }

    @Test("A silenced log tells machines as little as people, but always how the run ended")
    func errorsOnlyAsJSON() {
        let display = display(.json, .errors)
        events.forEach(display.handle)
        display.summary(.example(), hasTable: true)
        let lines = written.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains(#""event":"failed""#) == true)
        #expect(lines.last?.contains(#""event":"summary""#) == true)
    }

    @Test("A failure is reported once when there is nothing else to say")
    func onlyFailures() {
        let display = display(.plain)
        let failure = JobFailure(.sales, message: "permission denied")
        display.handle(.failed(failure))
        let report = RunReport(
            kind: .backup,
            finished: [],
            skipped: [],
            failed: [failure],
            definitions: [],
            set: nil,
            duration: .zero,
            isDryRun: false
        )
        display.summary(report, hasTable: true)
        #expect(
            written.text == """
                databudgie: error: public.sales: permission denied
                Backup finished with failures: 0 tables, 0 rows, 0 B, 1 failed in 0 ms.

                """
        )
    }

    @Test("Machines get a JSON object per event and nothing else")
    func json() throws {
        let display = display(.json)
        events.forEach(display.handle)
        display.interrupting()
        display.close()
        display.summary(.example(), hasTable: true)
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

    @Test("Messages stay above the live lines, which are taken away at the end")
    func live() {
        let display = display(.live)
        display.handle(examplePlan)
        display.handle(.warning("careful"))
        #expect(written.text.hasPrefix("databudgie: warning: careful\n0 of 3 tables"))
        display.handle(.warning("more"))
        #expect(written.text.contains("\r\u{1B}[1A\u{1B}[Jdatabudgie: warning: more\n0 of 3 tables"))
        display.close()
        #expect(written.text.hasSuffix("\r\u{1B}[1A\u{1B}[J"))
        display.handle(.warning("late"))
        #expect(written.text.hasSuffix("\u{1B}[Jdatabudgie: warning: late\n"))
    }

    @Test("The display is drawn while the run lasts")
    func drawing() async throws {
        let display = display(.live)
        display.handle(examplePlan)
        try await display.whileDrawing {
            while !written.text.contains("0 of 3 tables") { await Task.yield() }
        }
    }

    @Test("Findings have labels by their kinds, and hints below them")
    func findings() {
        let display = display(.plain, .details)
        display.handle(.found(Finding(.problem, "no such table", table: "public.x", hint: "create it")))
        display.handle(.found(Finding(.warning, "careful", hint: "look twice")))
        display.handle(.found(Finding(.note, "the plan", table: "public.x", hint: "read it")))
        #expect(
            written.text == """
                databudgie: error: public.x: no such table
                  hint: create it
                databudgie: warning: careful
                  hint: look twice
                databudgie: public.x: the plan; read it

                """
        )
    }

    @Test(
        "An interrupted run says what it leaves behind",
        arguments: [
            (RunKind.backup, 0, "no tables were written"),
            (.backup, 1, "1 table was completed and kept; the rest was cleaned up"),
            (.backup, 2, "2 tables were completed and kept; the rest was cleaned up"),
            (.restore, 0, "no tables were restored"),
            (.restore, 1, "1 table was restored; the others are unchanged"),
            (.restore, 2, "2 tables were restored; the others are unchanged"),
        ]
    )
    func interruption(kind: RunKind, finished: Int, expected: String) throws {
        var state = RunState()
        state.apply(.planned(kind, []), at: .zero)
        for outcome in [JobOutcome.products, .sales].prefix(finished) {
            state.apply(.finished(outcome), at: .zero)
        }
        let remains = RunRemains(kind, of: state, try Configuration.load(yaml: "{}", environment: [:]))
        #expect(PlainLine.interrupted(remains) == "databudgie: interrupted: \(expected)")
    }

    @Test("A run that re-creates tables does not say that the others are unchanged")
    func recreatedTables() {
        let remains = RunRemains(.restore, completed: 2, createsTables: true)
        #expect(remains.sentence == "2 tables were restored; the others were not")
    }

    @Test("A dry run leaves nothing behind", arguments: [RunKind.backup, .restore])
    func dryRun(kind: RunKind) {
        let remains = RunRemains(kind, completed: 2, writesNothing: true)
        #expect(remains.sentence == nil)
        #expect(remains.sentenceOfInterruption == "nothing was written")
    }
}
