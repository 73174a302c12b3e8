import Storage
import Synchronization

/// Tells listeners what happens in a run and keeps what its report needs.
///
/// Progress comes from the tasks that move the bytes, hence the lock.
final class RunRecorder: Sendable {
    private struct State {
        var startTimes: [TableLabel: ContinuousClock.Instant] = [:]
        var finished: [TableReport] = []
        var skipped: [TableLabel] = []
        var failed: [TableFailure] = []
        var definitions: Set<String> = []
        var sequences: [TableLabel: Int] = [:]
    }

    private let action: RunKind
    private let isDryRun: Bool
    private let onEvent: @Sendable (RunEvent) -> Void
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    init(action: RunKind, isDryRun: Bool, onEvent: @escaping @Sendable (RunEvent) -> Void) {
        self.action = action
        self.isDryRun = isDryRun
        self.onEvent = onEvent
    }

    func planned(_ tables: [PlannedTable], reasons: [String], warnings: [String]) {
        warnings.forEach { onEvent(.warning($0)) }
        reasons.forEach { onEvent(.detail($0)) }
        state.withLock { state in
            for table in tables { state.sequences[table.label] = table.sequences }
        }
        onEvent(.planned(action, tables))
    }

    func warning(_ message: String) {
        onEvent(.warning(message))
    }

    func detail(_ message: String) {
        onEvent(.detail(message))
    }

    func recording(_ run: RecordedRun) {
        onEvent(.recording(run))
    }

    /// Notes tables whose definitions were written, or run; before their rows.
    func defined(_ names: [String]) {
        state.withLock { $0.definitions.formUnion(names) }
    }

    func started(_ label: TableLabel) {
        state.withLock { $0.startTimes[label] = .now }
        onEvent(.started(label))
    }

    func progressed(_ label: TableLabel, _ totals: TransferTotals) {
        onEvent(.progressed(label, totals))
    }

    func finished(_ label: TableLabel, totals: TransferTotals, path: StoragePath?) {
        let report = state.withLock { state in
            let report = TableReport(
                label: label,
                totals: totals,
                path: path?.description,
                duration: state.startTimes[label].map { .now - $0 } ?? .zero,
                hasDefinition: state.definitions.contains(label.description),
                sequences: state.sequences[label] ?? 0
            )
            state.finished.append(report)
            return report
        }
        onEvent(.finished(report))
    }

    func skipped(_ label: TableLabel, reason: String) {
        state.withLock { $0.skipped.append(label) }
        onEvent(.skipped(label, reason: reason))
    }

    func failed(_ label: TableLabel, _ error: any Error) {
        failed(label, reason: "\(error)", error)
    }

    /// Notes a table that failed because another one did.
    func failed(_ label: TableLabel, reason: String) {
        failed(label, reason: reason, nil)
    }

    private func failed(_ label: TableLabel, reason: String, _ error: (any Error)?) {
        let message = "\(label): \(reason)"
        state.withLock { $0.failed.append(TableFailure(label: label, message: message, error: error)) }
        onEvent(.failed(label, message: message))
    }

    func report() -> RunReport {
        state.withLock { state in
            RunReport(
                action: action,
                finished: state.finished,
                skipped: state.skipped,
                failed: state.failed,
                duration: .now - start,
                definitions: state.definitions.sorted(),
                isDryRun: isDryRun
            )
        }
    }
}
