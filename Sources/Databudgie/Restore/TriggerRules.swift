/// What becomes of the user triggers of the tables that a job loads: the table itself, and its partitions.
struct TriggerRules {
    /// Those that are off while the group is loaded.
    var disabled: [TargetTrigger] = []
    /// Those that fire for the rows, or when the table is emptied.
    private(set) var firing: [TargetTrigger] = []
    /// A trigger that fires may drop rows, so the server may keep fewer than the file has.
    var mayDropRows = false
    /// What the user should know.
    var findings: [Finding] = []

    /// Decides it for one job.
    ///
    /// - Parameters:
    ///   - job: What is about to be loaded.
    ///   - states: The states of the tables that its rows end up in.
    init(_ job: RestoreJob, _ states: [TargetState]) {
        // A view is loaded by its trigger.
        guard job.relation.kind != .view else { return }
        let triggers = states.flatMap(\.triggers)
        func firesOnLoad(_ trigger: TargetTrigger) -> Bool {
            trigger.firesOnInsert || job.mode == .upsert && trigger.firesOnUpdate
        }
        let onLoad = triggers.filter(firesOnLoad)
        let onTruncate = job.truncate == .keep ? [] : triggers.filter { $0.firesOnTruncate && !firesOnLoad($0) }
        let isOwned = states.allSatisfy { state in
            state.isOwned || !state.triggers.contains { firesOnLoad($0) || $0.firesOnTruncate }
        }
        switch job.triggers {
        case .off:
            disabled = onLoad + onTruncate
            if !isOwned { findings.append(Self.refusal(job, disabled)) }
        case .automatic:
            if job.isEmptied, isOwned { disabled = onLoad }
            report(job, onLoad, onTruncate, .warning, hint: Self.hint(job, isOwned: isOwned))
        case .fire:
            report(job, onLoad, onTruncate, .note, hint: nil)
        }
    }

    private mutating func report(
        _ job: RestoreJob,
        _ onLoad: [TargetTrigger],
        _ onTruncate: [TargetTrigger],
        _ kind: Finding.Kind,
        hint: String?
    ) {
        let off = Set(disabled)
        let loading = onLoad.filter { $0.isActive && !off.contains($0) }
        mayDropRows = loading.contains(where: \.mayDropRows)
        let parts = [
            (loading, "for the rows that are loaded: they may change or drop them, or write to other tables"),
            (onTruncate.filter(\.isActive), "when the table is emptied"),
        ]
        var seen: Set<TargetTrigger> = []
        firing = parts.flatMap(\.0).filter { seen.insert($0).inserted }
        for (triggers, effect) in parts where !triggers.isEmpty {
            findings.append(
                Finding(kind, "its triggers \(Self.list(triggers)) fire \(effect)", table: job.id.name, hint: hint)
            )
        }
    }

    private static func hint(_ job: RestoreJob, isOwned: Bool) -> String {
        isOwned
            ? "set 'triggers: off' to restore it without them, or 'triggers: fire' if that is meant"
            : "connect as the owner to restore it without them, or set 'triggers: fire' if that is meant"
    }

    private static func refusal(_ job: RestoreJob, _ triggers: [TargetTrigger]) -> Finding {
        .problem(
            "its triggers \(list(triggers)) cannot be disabled, because the role does not own the table",
            of: job.id,
            hint: "connect as its owner, or set 'triggers: fire'"
        )
    }

    /// The names, each once: a partitioned table's trigger is on its partitions too.
    private static func list(_ triggers: [TargetTrigger]) -> String {
        var seen: Set<ByteKey> = []
        return triggers.map(\.name).filter { seen.insert(ByteKey($0)).inserted }.joined(separator: ", ")
    }
}
