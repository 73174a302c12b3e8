import Databudgie
import Testing

@testable import struct Databudgie.JobFailure
@testable import DatabudgieCLI

@Suite("The live display")
struct LiveFrameTests {
    /// The first table is done, the second half-way, the third has just begun.
    private let state: RunState = {
        var state = RunState()
        state.apply(examplePlan, at: .zero)
        state.apply(.started(.products), at: .zero)
        state.apply(.finished(.products), at: .milliseconds(120))
        state.apply(.started(.sales), at: .seconds(1))
        state.apply(.progressed(.sales, .large), at: .seconds(3))
        state.apply(.started(.customers), at: .seconds(3))
        state.apply(.progressed(.customers, .small), at: .seconds(3))
        return state
    }()

    private func picture(width: Int, height: Int = 24, style: TextStyle = .plain) -> String {
        LiveFrame.lines(state, at: .seconds(3), width: width, height: height, style: style).joined(separator: "\n")
    }

    @Test("The display has a line per running table, a bar where rows are estimated, and a total")
    func wide() {
        #expect(
            picture(width: 110) == """
                public.sales      ████████████░░░░░░░░  61%      1,234,567 rows    98.8 MB    49.4 MB/s
                public.customers                                     1,200 rows    45.6 kB
                1 of 3 tables                                    1,236,967 rows    98.9 MB    33.0 MB/s      0:03
                """
        )
    }

    @Test("What a narrow terminal has no room for is omitted, and no line is ever broken", arguments: 1...130)
    func narrow(width: Int) {
        let lines = LiveFrame.lines(state, at: .seconds(3), width: width, height: 24, style: .plain)
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.terminalWidth <= max(width, 13) })
    }

    @Test("A terminal of forty columns still shows the bytes")
    func fortyColumns() {
        #expect(
            picture(width: 40) == """
                public.sales        98.8 MB
                public.customers    45.6 kB
                1 of 3 tables       98.9 MB
                """
        )
    }

    @Test("Tables that do not fit on a low terminal are counted")
    func low() {
        #expect(
            picture(width: 60, height: 4) == """
                public.sales       1,234,567 rows    98.8 MB    49.4 MB/s
                and 1 more
                1 of 3 tables      1,236,967 rows    98.9 MB    33.0 MB/s
                """
        )
    }

    @Test("Names and bars have colours")
    func colours() {
        #expect(picture(width: 110, style: .color).contains("\u{1B}[36mpublic.sales"))
        #expect(!picture(width: 110).contains("\u{1B}"))
    }

    @Test("A table's name never reaches the terminal as control characters")
    func hostileName() {
        var state = RunState()
        let job = JobID(.rows, of: "public.\u{1B}[2J\nevil", number: 0)
        state.apply(.planned(.restore, []), at: .zero)
        state.apply(.started(job), at: .zero)
        let lines = LiveFrame.lines(state, at: .seconds(1), width: 100, height: 24, style: .plain)
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("public.\\u{1B}[2J\\nevil "))
    }

    @Test("A bar is never full before the table is, however old the statistics are")
    func oldStatistics() {
        var state = RunState()
        state.apply(examplePlan, at: .zero)
        state.apply(.started(.products), at: .zero)
        state.apply(.progressed(.products, .large), at: .seconds(1))
        let lines = LiveFrame.lines(state, at: .seconds(1), width: 110, height: 24, style: .plain)
        #expect(lines[0].contains("███████████████████░  99%"))
    }

    @Test("Rows that are not known before a load ends are not shown")
    func unknownRows() {
        var state = RunState()
        state.apply(examplePlan, at: .zero)
        state.apply(.started(.sales), at: .zero)
        state.apply(.progressed(.sales, TransferTotals(rows: 0, bytes: 5_000_000, fileBytes: 0)), at: .seconds(1))
        let lines = LiveFrame.lines(state, at: .seconds(1), width: 80, height: 24, style: .plain)
        #expect(lines[0] == "public.sales                          5.0 MB     5.0 MB/s")
    }

    @Test("The number of failed tables is shown")
    func failures() {
        var state = state
        state.apply(.failed(JobFailure(.sales, message: "no")), at: .seconds(3))
        let lines = LiveFrame.lines(state, at: .seconds(3), width: 110, height: 24, style: .plain)
        #expect(lines.last?.hasPrefix("2 of 3 tables, 1 failed") == true)
    }
}
