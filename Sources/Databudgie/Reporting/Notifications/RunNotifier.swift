import Foundation
import Postgres

/// Notifies whom a configuration names of a run.
struct RunNotifier: Sendable {
    private let targets: [NotificationTarget]
    private let blank: RunSummary
    private let sending: NotificationSending
    private let onEvent: @Sendable (RunEvent) -> Void

    /// Prepares notifications of a run, for which `onEvent` receives a warning if they are not delivered.
    init(
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

    /// Notifies that the run begins.
    func notifyOfStart() async { await notify(of: .start, blank) }

    /// Notifies all receivers of an event at once.
    func notify(of event: NotificationTarget.Event, _ summary: RunSummary) async {
        var summary = summary
        summary.event = event.rawValue
        (summary.database, summary.environment, summary.host) = (blank.database, blank.environment, blank.host)
        summary.text = summary.sentence
        let finished = summary
        await withTaskGroup(of: Finding?.self) { group in
            for (index, target) in targets.enumerated() where target.events.contains(event) {
                // Two receivers may be on one server.
                let name = targets.count > 1 ? "\(target) (entry \(index + 1) of 'notify')" : "\(target)"
                group.addTask { await warning(of: event, to: target, named: name, finished) }
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
        named name: String,
        _ summary: RunSummary
    ) async -> Finding? {
        guard let problem = await sending.send(event, summary, to: target) else { return nil }
        return .warning("\(name) was not notified of the \(event.rawValue): \(problem.message)", hint: problem.hint)
    }
}
