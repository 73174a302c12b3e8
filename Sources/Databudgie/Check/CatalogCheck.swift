import Foundation
import Storage

/// Looks at the records of sets, and at what the rules of retention make of them.
struct CatalogCheck: Sendable {
    let run: CheckedRun

    /// Reads all records, as `databudgie list` does.
    ///
    /// - Throws: `CancellationError`.
    func check() async throws -> [CheckFinding] {
        guard let folder = run.settings.catalog else {
            guard run.kind == .backup else { return [] }
            let warning = SetRecording.unrecorded
            return [run.finding(.warning, .catalog, warning.message, hint: warning.hint)]
        }
        var findings: [CheckFinding] = []
        do {
            let list = SetList(run.configuration, for: run.kind, environment: run.environment)
            let found = try await list.read()
            findings += sets(found, in: folder.description)
        } catch {
            try Task.checkCancellation()
            // A backup needs to write there, and nothing else.
            let isOptional = run.kind == .backup && (error as? StorageError)?.code == .accessDenied
            return run.findings(.catalog, error, of: folder.description, as: isOptional ? .warning : .problem)
        }
        return findings + (try await retention())
    }

    private func sets(_ sets: [ListedSet], in folder: String) -> [CheckFinding] {
        let damaged = sets.filter { $0.state == .unreadable }.map { set in
            run.finding(
                .warning,
                .catalog,
                "the record of the set \(set.id) cannot be used: \(set.problem?.message ?? "it is damaged")",
                of: folder,
                hint: set.problem?.hint ?? "see 'databudgie list'"
            )
        }
        let crashed = sets.filter { $0.state == .crashed }.map { set in
            run.finding(
                .warning,
                .catalog,
                "the run \(set.id) was killed, and may have left files",
                of: folder,
                hint: "remove them with 'databudgie prune --orphans', which waits until the run has written nothing "
                    + "for a day"
            )
        }
        return [summary(sets, in: folder)] + damaged + crashed
    }

    private func summary(_ sets: [ListedSet], in folder: String) -> CheckFinding {
        let recorded = sets.filter { $0.summary != nil }
        guard !recorded.isEmpty else { return run.finding(.ok, .catalog, "no sets yet", of: folder) }
        let count = HumanNumber.count(recorded.count, "set")
        guard let newest = recorded.first(where: { $0.state == .complete }) else {
            return run.finding(
                .warning,
                .catalog,
                "\(count), none of which is complete",
                of: folder,
                hint: "see 'databudgie show' for what has failed"
            )
        }
        let age = newest.moment.map { ", \(HumanNumber.age(run.environment.now.timeIntervalSince($0))) old" } ?? ""
        return run.finding(.ok, .catalog, "\(count), the newest complete one \(newest.id)\(age)", of: folder)
    }

    private func retention() async throws -> [CheckFinding] {
        guard run.kind == .backup, run.configuration.backup.retention != nil else { return [] }
        do {
            let plan = try await Prune(run.configuration, environment: run.environment).plan()
            let removed = plan.removedSets.count
            let rest =
                removed == 0
                ? "'databudgie prune' would remove nothing"
                : "'databudgie prune' would remove \(HumanNumber.count(removed, "set")), "
                    + HumanNumber.bytes(plan.removedSize)
            return [run.finding(.ok, .retention, rest)]
                + plan.warnings.map { run.finding(.warning, .retention, $0.sentence, hint: $0.hint) }
        } catch {
            try Task.checkCancellation()
            return run.findings(.retention, error)
        }
    }
}
