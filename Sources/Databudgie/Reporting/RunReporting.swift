import Foundation

/// Says of a run what a configuration wants to be said of it: notifications when it begins and has ended, and metrics.
///
/// It is best effort: it never changes the run's result, and takes only so much time. The run does not wait until its beginning
/// has been notified; only its end does, because receivers need them in this order.
struct RunReporting: Sendable {
    private let notifier: RunNotifier
    private let metrics: MetricsFile?
    private let onEvent: @Sendable (RunEvent) -> Void

    /// Runs the body, and reports before and after.
    ///
    /// - Parameters:
    ///   - configuration: Says what is reported; nothing of a dry run is, because it leaves no trace anywhere.
    ///   - kind: What the run does.
    ///   - environment: The run's surroundings.
    ///   - onEvent: Receives all events, and a warning for everything that could not be reported.
    ///   - body: The run, from its very beginning; it is given what its events are to be passed to.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    static func with(
        _ configuration: Configuration,
        for kind: RunKind,
        in environment: RunEnvironment,
        onEvent: @escaping @Sendable (RunEvent) -> Void,
        _ body: (@escaping @Sendable (RunEvent) -> Void) async throws -> RunReport
    ) async throws -> RunReport {
        let run = configuration.run(for: kind)
        guard !run.isDryRun, !run.notifications.isEmpty || run.metrics != nil else { return try await body(onEvent) }
        let reporting = RunReporting(
            notifier: RunNotifier(configuration, kind, environment, onEvent),
            metrics: MetricsFile(configuration, kind, environment),
            onEvent: onEvent
        )
        let (begin, tally) = (ContinuousClock.now, RunTally())
        let start = Task { await reporting.notifier.notifyOfStart() }
        do {
            let report = try await body { event in
                tally.add(event)
                onEvent(event)
            }
            var summary = RunSummary(report, at: Date())
            summary.name(report.failed)
            await reporting.conclude(summary, after: start)
            return report
        } catch {
            // Whichever layer noticed the cancellation first has an error of its own for it.
            let cause = Task.isCancelled || error is CancellationError ? nil : error
            let duration = ContinuousClock.now - begin
            let summary = RunSummary(kind, tally.counts, endedBy: cause, after: duration, at: Date())
            await reporting.conclude(summary, after: start)
            throw error
        }
    }

    /// Reports a run's end, also when the run was interrupted; a user who interrupts this very wait ends it.
    private func conclude(_ summary: RunSummary, after start: Task<Void, Never>) async {
        // A task of its own: a cancellation that has ended the run must not end its reports as well.
        let job = Task {
            if let warning = await metrics?.write(summary) { onEvent(.found(warning)) }
            await withTaskCancellationHandler {
                await start.value
            } onCancel: {
                start.cancel()
            }
            await notifier.notify(of: summary.status == .complete ? .success : .failure, summary)
        }
        guard !Task.isCancelled else { return await job.value }
        await withTaskCancellationHandler {
            await job.value
        } onCancel: {
            job.cancel()
        }
    }
}
