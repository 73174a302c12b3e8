import Databudgie
import FoundationEssentials
import Synchronization

/// Shows on standard error what a run does, in one of three ways.
///
/// Events come from any task. All output passes one lock, so lines never mix.
final class RunDisplay: Sendable {
    /// The way in which progress is shown.
    enum Mode: Sendable {
        /// A few lines that are redrawn, for people at a terminal.
        case live
        /// A line per finished table.
        case plain
        /// A JSON object per event, for machines.
        case json
    }

    /// What the display needs from its surroundings, which tests replace.
    struct Surroundings: Sendable {
        /// Writes to standard error.
        var write: @Sendable (String) -> Void
        /// The terminal's size now.
        var size: @Sendable () -> StandardStream.Size?
        /// Time since the run began.
        var elapsed: @Sendable () -> Duration
        /// The time of day, for JSON.
        var now: @Sendable () -> Date
    }

    /// At most so often is the live display redrawn.
    private static let redrawInterval = Duration.milliseconds(100)

    private struct Shared {
        var run = RunState()
        var region = LiveRegion()
        var isClosed = false
        var isHidden = false
    }

    private let mode: Mode
    /// How much is shown.
    let verbosity: Verbosity
    private let style: TextStyle
    private let surroundings: Surroundings
    private let shared = Mutex(Shared())

    /// A display for one run.
    init(mode: Mode, verbosity: Verbosity, style: TextStyle, surroundings: Surroundings) {
        self.mode = mode
        self.verbosity = verbosity
        self.style = style
        self.surroundings = surroundings
    }

    /// Takes an event in, and writes the line that the mode has for it.
    func handle(_ event: RunEvent) {
        shared.withLock { shared in
            shared.run.apply(event, at: surroundings.elapsed())
            if let line = line(for: event, in: shared.run) { say(line, &shared) }
        }
    }

    /// Takes an event of a verification in, likewise.
    func handle(_ event: VerificationEvent) {
        shared.withLock { shared in
            switch event {
            case .began(let set, let level, let jobs):
                if !jobs.isEmpty { shared.run.begin(jobs) }
                if mode == .json, verbosity >= .progress {
                    say(EventJSON.verifying(set, level, jobs, at: surroundings.now()), &shared)
                }
            case .progress(let event):
                shared.run.apply(event, at: surroundings.elapsed())
                // What is wrong with a file has just been reported.
                if case .failed = event { return }
                if let line = line(for: event, in: shared.run) { say(line, &shared) }
            case .found(let set, let damage, let file):
                let line =
                    mode == .json
                    ? EventJSON.damage(damage, of: set, file: file, at: surroundings.now())
                    : PlainLine.error(Message(damage.sentence(file: file)), style: style)
                say(line, &shared)
            case .ended(let verified):
                if mode == .json { say(EventJSON.verified(verified, at: surroundings.now()), &shared) }
            }
        }
    }

    /// Redraws the live display while `body` runs.
    ///
    /// - Returns: What `body` returns.
    func whileDrawing<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        let drawing = Task {
            while isDrawing, !Task.isCancelled {
                shared.withLock { draw(&$0) }
                try await Task.sleep(for: Self.redrawInterval)
            }
        }
        defer { drawing.cancel() }
        return try await body()
    }

    /// Takes the live display away while `body` asks the user something.
    ///
    /// - Returns: What `body` returns.
    func whileHidden<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        shared.withLock { shared in
            shared.isHidden = true
            surroundings.write(shared.region.clear(width: width))
        }
        defer { shared.withLock { $0.isHidden = false } }
        return try await body()
    }

    /// Takes the live display away and draws no more.
    func close() {
        shared.withLock { shared in
            shared.isClosed = true
            surroundings.write(shared.region.clear(width: width))
        }
    }

    /// Writes the warnings of a configuration.
    func warn(_ warnings: [Finding]) {
        warnings.forEach { handle(.found($0)) }
    }

    /// All that is known about the run now.
    var state: RunState {
        shared.withLock { $0.run }
    }

    /// The table of what has been done until now, for a run that does not come to its end.
    var tableSoFar: SummaryTable {
        shared.withLock { SummaryTable($0.run, duration: surroundings.elapsed()) }
    }

    /// Says that a signal came and the run is being undone.
    func interrupting() {
        guard mode != .json else { return }
        shared.withLock { say(PlainLine.interrupting, &$0) }
    }

    /// Says what an interrupted run leaves behind.
    func interrupted(_ remains: RunRemains) {
        shared.withLock { shared in
            switch mode {
            case .json: say(EventJSON.interrupted(shared.run, at: surroundings.now()), &shared)
            case .live, .plain: say(PlainLine.interrupted(remains), &shared)
            }
        }
    }

    /// Says that a verification did not come to its end.
    func interruptedVerification() {
        switch mode {
        case .json: shared.withLock { say(EventJSON.interrupted($0.run, at: surroundings.now()), &$0) }
        case .live, .plain: say(PlainLine.note("interrupted: the verification is not complete"))
        }
    }

    /// Says that not everything was removed.
    func interruptedRemoval() {
        switch mode {
        case .json: shared.withLock { say(EventJSON.interrupted($0.run, at: surroundings.now()), &$0) }
        case .live, .plain: say(PlainLine.note("interrupted: not everything is removed; run the command again"))
        }
    }

    /// Says how the run ended.
    ///
    /// - Parameters:
    ///   - report: The run's result.
    ///   - hasTable: The table of results is shown as well; false where it goes to standard output.
    ///   - page: The page about the run that is written after it, also about a dry run.
    func summary(_ report: RunReport, hasTable: Bool, page: String? = nil) {
        switch mode {
        case .json:
            say(EventJSON.summary(report, at: surroundings.now()))
        case .live, .plain:
            guard verbosity >= .progress else { return }
            let table = SummaryTable(report)
            // Where nothing finished there is no table, and the failures have just been reported.
            let hasTable = hasTable && !report.finished.isEmpty
            let lines = hasTable ? table.lines(width: surroundings.size()?.columns, style: style) : []
            say((lines + [table.closingSentence(style: style, page: page)]).joined(separator: "\n"))
        }
    }

    private func line(for event: RunEvent, in run: RunState) -> String? {
        guard verbosity >= Verbosity(toShow: event) else { return nil }
        if mode == .json { return EventJSON.line(event, at: surroundings.now()) }
        switch event {
        case .failed(let failure):
            return PlainLine.error(Message(failure), style: style)
        case .found(let finding):
            return line(for: finding)
        case .finished(let outcome) where mode == .plain:
            return PlainLine.finished(outcome, run.kind, style: style)
        case .recording(let recorded):
            return PlainLine.recording(recorded, style: style)
        case .restoring(let set):
            return PlainLine.restoring(set, style: style)
        case .runningDefinitions(let source):
            return PlainLine.runningDefinitions(source, style: style)
        case .skipped(let skipped):
            return PlainLine.skipped(skipped, style: style)
        case .planned, .started, .progressed, .finished:
            return nil
        }
    }

    private func line(for finding: Finding) -> String {
        switch finding.kind {
        case .problem: PlainLine.error(Message(finding), style: style)
        case .warning: PlainLine.warning(Message(finding), style: style)
        case .note: PlainLine.detail(Message(finding), style: style)
        }
    }

    private var isDrawing: Bool {
        mode == .live && verbosity >= .progress
    }

    private func say(_ line: String) {
        shared.withLock { say(line, &$0) }
    }

    /// Writes a line above the live display.
    private func say(_ line: String, _ shared: inout Shared) {
        surroundings.write(shared.region.clear(width: width) + line + "\n")
        draw(&shared)
    }

    private func draw(_ shared: inout Shared) {
        guard isDrawing, !shared.isClosed, !shared.isHidden, shared.run.hasPlan else { return }
        let size = surroundings.size() ?? StandardStream.Size(columns: 80, lines: 24)
        let lines = LiveFrame.lines(
            shared.run,
            at: surroundings.elapsed(),
            // A character in the last column would leave the cursor in two minds about where it is.
            width: size.columns - 1,
            height: size.lines,
            style: style
        )
        surroundings.write(shared.region.redraw(lines, width: size.columns))
    }

    private var width: Int {
        surroundings.size()?.columns ?? 80
    }
}
