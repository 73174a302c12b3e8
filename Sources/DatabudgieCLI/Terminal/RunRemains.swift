import Databudgie

/// What a run that did not come to its end has left behind.
struct RunRemains: Equatable {
    private let kind: RunKind
    private let completed: Int
    private let writesNothing: Bool
    private let createsTables: Bool

    /// Gathers what is known.
    ///
    /// - Parameters:
    ///   - kind: What the run was.
    ///   - completed: How many tables were complete.
    ///   - writesNothing: The run was a dry run.
    ///   - createsTables: A restore re-creates tables, or the database, before it loads them.
    init(_ kind: RunKind, completed: Int, writesNothing: Bool = false, createsTables: Bool = false) {
        self.kind = kind
        self.completed = completed
        self.writesNothing = writesNothing
        self.createsTables = createsTables
    }

    /// Reads it off a run and its configuration.
    init(_ kind: RunKind, of state: RunState, _ configuration: Configuration) {
        let run =
            switch kind {
            case .backup: configuration.backup.run
            case .restore: configuration.restore.run
            }
        self.init(
            kind,
            completed: state.finished.count,
            writesNothing: run.isDryRun,
            createsTables: run.definitions.recreatesDatabase || run.definitions.isEnabled
        )
    }

    /// What was completed, and what became of the rest; nil when nothing was.
    var sentence: String? {
        guard completed > 0, !writesNothing else { return nil }
        let tables = HumanNumber.count(completed, "table") + (completed == 1 ? " was" : " were")
        switch kind {
        case .backup: return "\(tables) completed and kept; the rest was cleaned up"
        case .restore where createsTables: return "\(tables) restored; the others were not"
        case .restore: return "\(tables) restored; the others are unchanged"
        }
    }

    /// The same for a run that was interrupted, which always says something.
    var sentenceOfInterruption: String {
        if let sentence { return sentence }
        switch kind {
        case .restore where !writesNothing: return "no tables were restored"
        case .backup where !writesNothing: return "no tables were written"
        case .backup, .restore: return "nothing was written"
        }
    }
}
