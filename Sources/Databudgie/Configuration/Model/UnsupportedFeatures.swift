/// What a configuration asks for and this version cannot do yet.
struct UnsupportedFeatures {
    private let action: RunAction
    private(set) var lines: [String] = []

    init(_ action: RunAction) {
        self.action = action
    }

    /// Notes a feature once for each place that asks for it.
    mutating func note(_ feature: String, at place: SourcePlace?) {
        let prefix = place.map { "\($0): " } ?? ""
        let line = prefix + "'\(feature)' is not supported yet in a \(action.rawValue); remove it to continue without"
        if !lines.contains(where: { $0.hasBytes(of: line) }) { lines.append(line) }
    }
}

extension Configuration {
    /// What the configuration asks for and this version cannot do yet: one line each, with its place.
    ///
    /// Only what is asked for counts.
    /// - Parameter action: The command that is about to run.
    /// - Returns: An empty list when the command can do all of it; a run stops otherwise.
    public func unsupportedFeatures(for action: RunAction) -> [String] {
        switch action {
        case .backup: backup.run.unsupportedFeatures
        case .restore: restore.run.unsupportedFeatures
        }
    }
}
