import Databudgie
import Testing

@testable import struct Databudgie.RunReport
@testable import struct Databudgie.TableFailure
@testable import struct Databudgie.TableReport
@testable import struct Databudgie.TransferTotals
@testable import DatabudgieCLI

@Suite("The summary")
struct SummaryTableTests {
    @Test("lists every table with its sizes, ratio and speed, and the total")
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

    @Test("has columns for definitions and sequences where a run has some")
    func parts() {
        var products = TableReport.products
        (products.hasDefinition, products.sequences) = (true, 2)
        let report = RunReport(
            action: .backup,
            finished: [products, .sales],
            skipped: [],
            failed: [],
            duration: .milliseconds(2_700),
            definitions: ["public.products"],
            isDryRun: false
        )
        let table = SummaryTable(report)
        #expect(
            table.lines(width: nil, style: .plain).joined(separator: "\n") == """
                table            DDL  sequences       rows  CSV size  file size  ratio    time  MB/s
                public.products    ✓          2      1,200   45.6 kB    12.0 kB    3.8  120 ms   0.4
                public.sales                     1,234,567   98.8 MB    23.5 MB    4.2   2.5 s  39.5
                total                         2  1,235,767   98.8 MB    23.5 MB    4.2   2.7 s  36.6
                """
        )
        #expect(table.closingSentence(style: .plain).contains("1,235,767 rows, 98.8 MB, 1 definition in 2.7 s"))
    }

    @Test("lists failed tables last, with their messages on one line each")
    func failures() {
        let failure = TableFailure(label: .customers, message: "public.customers: permission denied\nfor table")
        let table = SummaryTable(.example(skipped: [.sales], failed: [failure]))
        #expect(
            table.lines(width: nil, style: .plain).last == "failed  public.customers: permission denied\\nfor table"
        )
        #expect(
            table.closingSentence(style: .plain)
                == "Backup finished with failures: 2 tables, 1,235,767 rows, 98.8 MB, 1 skipped, 1 failed in 2.7 s."
        )
    }

    @Test("says in one sentence what was done")
    func sentences() {
        #expect(
            SummaryTable(.example(action: .restore)).closingSentence(style: .plain)
                == "Restore complete: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s."
        )
        #expect(
            SummaryTable(.example(isDryRun: true)).closingSentence(style: .plain)
                == "Dry run of backup: 2 tables, 1,235,767 rows, 98.8 MB in 2.7 s; nothing was written."
        )
    }

    @Test("shortens names to the terminal's width, and leaves them whole elsewhere")
    func width() {
        let lines = SummaryTable(.example()).lines(width: 62, style: .plain)
        #expect(lines.allSatisfy { $0.terminalWidth <= 62 })
        #expect(lines[1].hasPrefix("pub"))
    }

    @Test("has dashes for the file's size when nothing was written")
    func dryRun() throws {
        let totals = TransferTotals(rows: 5, bytes: 100, fileBytes: 0)
        let table = TableReport(label: .sales, totals: totals, path: nil, duration: .zero)
        let report = RunReport(
            action: .backup,
            finished: [table],
            skipped: [],
            failed: [],
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
