import Databudgie
import Foundation
import Postgres
import Testing

@testable import struct Databudgie.JobFailure
@testable import struct Databudgie.JobOutcome
@testable import struct Databudgie.RunReport
@testable import struct Databudgie.SequenceValue
@testable import DatabudgieCLI

@Suite("The summary")
struct SummaryTableTests {
    @Test("The summary lists every table with its sizes, ratio and speed, and the total")
    func table() {
        let lines = SummaryTable(.example()).lines(width: nil, style: .plain)
        #expect(
            lines.joined(separator: "\n") == """
                table                 rows  CSV size  file size  ratio    time  MB/s
                public.products      1,200   45.6 kB    12.0 kB    3.8  120 ms   0.4
                public.sales     1,234,567   98.8 MB    23.5 MB    4.2   2.5 s  39.5
                total            1,235,767   98.8 MB    23.5 MB    4.2   2.7 s  36.6
                """
        )
    }

    @Test("The summary has columns for definitions and sequences when a run has some")
    func parts() {
        var products = JobOutcome.products
        products.includesDefinition = true
        products.sequences = ["a", "b"].map { name in
            SequenceValue(name: QualifiedName(schema: "public", name: name), lastValue: 1, isCalled: true)
        }
        let report = RunReport(
            kind: .backup,
            finished: [products, .sales],
            skipped: [],
            failed: [],
            definitions: ["public.products"],
            set: nil,
            duration: .milliseconds(2_700),
            isDryRun: false
        )
        let table = SummaryTable(report)
        #expect(
            table.lines(width: nil, style: .plain).joined(separator: "\n") == """
                table            definition  sequences       rows  CSV size  file size  ratio    time  MB/s
                public.products           ✓          2      1,200   45.6 kB    12.0 kB    3.8  120 ms   0.4
                public.sales                            1,234,567   98.8 MB    23.5 MB    4.2   2.5 s  39.5
                total                                2  1,235,767   98.8 MB    23.5 MB    4.2   2.7 s  36.6
                """
        )
        #expect(table.closingSentence(style: .plain).contains("1,235,767 rows, 98.8 MB, 1 definition in 2.7 s"))
    }

    @Test("Failed tables are listed last, with their messages on one line each")
    func failures() {
        let failure = JobFailure(.customers, message: "permission denied\nfor table")
        let table = SummaryTable(.example(skipped: [.customers], failed: [failure]))
        #expect(
            table.lines(width: nil, style: .plain).last == "failed  public.customers: permission denied\\nfor table"
        )
        #expect(
            table.closingSentence(style: .plain)
                == "Backup finished with failures: 2 tables, 1,235,767 rows, 98.8 MB, 1 skipped, 1 failed in 2.7 s."
        )
    }

    @Test("One sentence says what was done")
    func sentences() {
        #expect(
            SummaryTable(.example(kind: .restore)).closingSentence(style: .plain)
                == "Restore complete: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s."
        )
        #expect(
            SummaryTable(.example(isDryRun: true)).closingSentence(style: .plain)
                == "Dry run of backup: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s; nothing was written."
        )
        #expect(
            SummaryTable(.example(isDryRun: true)).closingSentence(style: .plain, page: "a.html")
                == "Dry run of backup: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s; nothing was written except the page a.html."
        )
    }

    @Test(
        "Times of a record have whole seconds, and no decimals are made of them",
        arguments: [(0, "less than 1 s"), (1, "1 s"), (59, "59 s"), (60, "1 min 00 s"), (3720, "1 h 02 min")]
    )
    func wholeSeconds(seconds: Double, expected: String) {
        #expect(HumanNumber.wholeSeconds(seconds) == expected)
    }

    @Test("A table that was renamed is shown with its name in the backup")
    func renamed() {
        var outcome = JobOutcome.sales
        outcome.storedName = "old.sales"
        let report = RunReport(
            kind: .restore,
            finished: [outcome],
            skipped: [],
            failed: [],
            definitions: [],
            set: nil,
            duration: .seconds(1),
            isDryRun: false
        )
        let lines = SummaryTable(report).lines(width: nil, style: .plain)
        #expect(lines.last?.hasPrefix("public.sales (from old.sales)  ") == true)
        let event = RunEvent.finished(outcome)
        #expect(EventJSON.line(event, at: Date(timeIntervalSince1970: 0)).contains("\"stored_name\":\"old.sales\""))
        #expect(PlainLine.finished(outcome, .restore, style: .plain).hasSuffix(", where it is old.sales"))
    }

    @Test("The sentence of a restore that was rolled back says so, and counts nothing else")
    func rolledBack() {
        let failure = JobFailure(.customers, message: "permission denied")
        let report = RunReport.example(kind: .restore, failed: [failure], effect: .rolledBack)
        #expect(
            SummaryTable(report).closingSentence(style: .plain)
                == "Restore failed: 1 table in 2.7 s; everything was rolled back; the tables are unchanged."
        )
        #expect(EventJSON.summary(report, at: Date(timeIntervalSince1970: 0)).contains("\"effect\":\"rolled_back\""))
    }

    @Test("The sentence names the set that a backup has recorded")
    func set() {
        #expect(
            SummaryTable(.example(set: "2026-01-02T03:04:05")).closingSentence(style: .plain)
                == "Backup complete: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s; set 2026-01-02T03:04:05."
        )
        let partial = RunReport.example(failed: [JobFailure(.customers, message: "no")], set: "2026-01-02T03:04:05")
        #expect(
            SummaryTable(partial).closingSentence(style: .plain).hasSuffix(
                ", 1 failed in 2.7 s; partial set 2026-01-02T03:04:05."
            )
        )
        let restore = RunReport.example(
            kind: .restore,
            failed: [JobFailure(.customers, message: "no")],
            set: "2026-01-02T03:04:05"
        )
        #expect(
            SummaryTable(restore).closingSentence(style: .plain).hasSuffix(
                ", 1 failed in 2.7 s; set 2026-01-02T03:04:05."
            )
        )
    }

    @Test("Names are shortened to the terminal's width, and whole elsewhere")
    func width() {
        let lines = SummaryTable(.example()).lines(width: 62, style: .plain)
        #expect(lines.allSatisfy { $0.terminalWidth <= 62 })
        #expect(lines[1].hasPrefix("pub"))
    }

    @Test("The file's size is a dash when nothing was written")
    func dryRun() throws {
        let totals = TransferTotals(rows: 5, bytes: 100, fileBytes: 0)
        let table = JobOutcome(job: .sales, totals: totals, file: nil, duration: .zero)
        let report = RunReport(
            kind: .backup,
            finished: [table],
            skipped: [],
            failed: [],
            definitions: [],
            set: nil,
            duration: .zero,
            isDryRun: true
        )
        #expect(
            SummaryTable(report).lines(width: nil, style: .plain) == [
                "table         rows  CSV size  file size  ratio  time  MB/s",
                "public.sales     5     100 B          -      -  0 ms     -",
            ]
        )
    }
}
