import Foundation
import Postgres

/// Notifies whom a configuration names that a run begins, and how it has ended.
///
/// Notifying is best effort: it never changes the run's result, and takes only so much time for each event. The run does not
/// wait until its beginning has been notified; only its end does, because receivers need them in this order.
struct RunNotifier: Sendable {
    private let targets: [NotificationTarget]
    private let blank: RunSummary
    private let sending: NotificationSending
    private let onEvent: @Sendable (RunEvent) -> Void

    /// Runs the body, and notifies before and after.
    ///
    /// - Parameters:
    ///   - configuration: Names the receivers; a dry run notifies nobody, because it leaves no trace anywhere.
    ///   - kind: What the run does.
    ///   - environment: The run's surroundings.
    ///   - onEvent: Receives all events, and a warning for each notification that was not delivered.
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
        guard !run.notifications.isEmpty, !run.isDryRun else { return try await body(onEvent) }
        let notifier = RunNotifier(configuration, kind, environment, onEvent)
        let (begin, tally) = (ContinuousClock.now, RunTally())
        let start = Task { await notifier.notify(of: .start, notifier.blank) }
        do {
            let report = try await body { event in
                tally.add(event)
                onEvent(event)
            }
            var summary = RunSummary(report, at: Date())
            summary.name(report.failed)
            await notifier.conclude(report.isComplete ? .success : .failure, summary, after: start)
            return report
        } catch {
            // Whichever layer noticed the cancellation first has an error of its own for it.
            let cause = Task.isCancelled || error is CancellationError ? nil : error
            let duration = ContinuousClock.now - begin
            let summary = RunSummary(kind, tally.counts, endedBy: cause, after: duration, at: Date())
            await notifier.conclude(.failure, summary, after: start)
            throw error
        }
    }

    private init(
        _ configuration: Configuration,
        _ kind: RunKind,
        _ environment: RunEnvironment,
        _ onEvent: @escaping @Sendable (RunEvent) -> Void
    ) {
        let run = configuration.run(for: kind)
        targets = run.notifications
        var blank = RunSummary(kind, at: Date())
        blank.database = run.connection?.keywords["dbname"]
        blank.environment = configuration.environment
        blank.host = ProcessInfo.processInfo.hostName
        self.blank = blank
        sending = NotificationSending(
            variables: environment.variables,
            limit: environment.notificationTimeLimit,
            pause: environment.notificationPause
        )
        self.onEvent = onEvent
    }

    /// Notifies of a run's end, also when the run was interrupted; a user who interrupts this very wait ends it.
    private func conclude(
        _ event: NotificationTarget.Event,
        _ summary: RunSummary,
        after start: Task<Void, Never>
    ) async {
        // A task of its own: a cancellation that has ended the run must not end its notification as well.
        let job = Task {
            await withTaskCancellationHandler {
                await start.value
            } onCancel: {
                start.cancel()
            }
            await notify(of: event, summary)
        }
        guard !Task.isCancelled else { return await job.value }
        await withTaskCancellationHandler {
            await job.value
        } onCancel: {
            job.cancel()
        }
    }

    /// Notifies all receivers of an event at once.
    private func notify(of event: NotificationTarget.Event, _ summary: RunSummary) async {
        var summary = summary
        summary.event = event.rawValue
        (summary.database, summary.environment, summary.host) = (blank.database, blank.environment, blank.host)
        summary.text = summary.sentence
        let finished = summary
        await withTaskGroup(of: Finding?.self) { group in
            for target in targets where target.events.contains(event) {
                group.addTask { await warning(of: event, to: target, finished) }
            }
            for await warning in group {
                // A user who interrupts the sending does not want to read about it.
                if let warning, !Task.isCancelled { onEvent(.found(warning)) }
            }
        }
    }

    private func warning(
        of event: NotificationTarget.Event,
        to target: NotificationTarget,
        _ summary: RunSummary
    ) async -> Finding? {
        guard let problem = await sending.send(event, summary, to: target) else { return nil }
        return .warning("\(target) was not notified of the \(event.rawValue): \(problem.message)", hint: problem.hint)
    }
}
