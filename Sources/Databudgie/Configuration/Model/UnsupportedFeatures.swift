/// What a configuration asks for and this version cannot do yet.
struct UnsupportedFeatures {
    /// A feature, by the setting that asks for it.
    enum Feature: String {
        case useLatestSet = "strategy: use_latest_set"
    }

    private let action: RunKind
    private(set) var lines: [String] = []

    init(_ action: RunKind) {
        self.action = action
    }

    /// Notes a feature once for each place that asks for it.
    mutating func note(_ feature: Feature, at place: SourcePlace?) {
        let prefix = place.map { "\($0): " } ?? ""
        let line =
            prefix + "'\(feature.rawValue)' is not supported yet in a \(action.rawValue); remove it to continue without"
        if !lines.contains(where: { $0.hasBytes(of: line) }) { lines.append(line) }
    }
}

extension Configuration {
    /// What the configuration asks for and this version cannot do yet: one line each, with its place.
    ///
    /// Only what is asked for counts.
    /// - Parameter action: The command that is about to run.
    /// - Returns: An empty list when the command can do all of it; a run stops otherwise.
    public func unsupportedFeatures(for action: RunKind) -> [String] {
        let run = action == .backup ? backup.run : restore.run
        // What was read from a file has its lines already; what was built in code is looked at here.
        guard run.unsupportedFeatures.isEmpty else { return run.unsupportedFeatures }
        var unsupported = UnsupportedFeatures(action)
        if run.definitions.isEnabled, run.definitions.strategy == .useLatestSet {
            unsupported.note(.useLatestSet, at: nil)
        }
        if action == .restore {
            for entry in restore.tables where entry.strategy == .useLatestSet {
                unsupported.note(.useLatestSet, at: SourcePlace(entry.options.place))
            }
        }
        return unsupported.lines
    }
}
