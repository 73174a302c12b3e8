import Databudgie

/// Everything that a display knows about a run, made up from its events.
///
/// Times are durations since the run began.
struct RunState: Sendable {
    /// A table job that runs at the moment.
    struct RunningTable: Sendable {
        let label: TableLabel
        let estimatedRows: Int?
        let startedAt: Duration
        var totals = TotalCounts()
    }

    /// What the run does; nil until the plan is known.
    private(set) var action: RunKind?
    private(set) var planned: [PlannedTable] = []
    private var estimatedRows: [TableLabel: Int] = [:]
    /// In the order in which the jobs began.
    private(set) var running: [RunningTable] = []
    private(set) var finished: [TableReport] = []
    private(set) var skipped: [TableLabel] = []
    /// What was told of each of the failed tables.
    private(set) var failures: [String] = []

    /// Takes one event in.
    mutating func apply(_ event: RunEvent, at time: Duration) {
        switch event {
        case .planned(let action, let tables):
            self.action = action
            planned = tables
            estimatedRows = [:]
            for table in tables { estimatedRows[table.label] = table.estimatedRows }
        case .started(let label):
            running.append(RunningTable(label: label, estimatedRows: estimatedRows[label], startedAt: time))
        case .progressed(let label, let totals):
            guard let index = running.firstIndex(where: { $0.label == label }) else { return }
            running[index].totals = TotalCounts(totals)
        case .finished(let report):
            stopRunning(report.label)
            finished.append(report)
        case .skipped(let label, _):
            stopRunning(label)
            skipped.append(label)
        case .failed(let label, let message):
            stopRunning(label)
            failures.append(message)
        case .recording, .warning, .detail:
            break
        }
    }

    /// The sum over finished and running tables.
    var totals: TotalCounts {
        running.reduce(into: TotalCounts(finished)) { $0.add($1.totals) }
    }

    private mutating func stopRunning(_ label: TableLabel) {
        running.removeAll { $0.label == label }
    }
}
