/// A mapping of the configuration, whose keys are in the table of ``ConfigurationKey``.
enum ConfigurationLevel: Sendable, Hashable {
    case root, command(RunKind), table, ddl, s3, logging, sentry, connection, retention, rename, masking, mask, redact
    case subset, subsetStart, subsetReference, notify

    static let all: [ConfigurationLevel] =
        [.root, .command(.backup), .command(.restore), .table] + ConfigurationKey.parts.map(\.level)

    /// The name of its definition in the schema.
    var name: String {
        if case .command(let kind) = self { kind.rawValue } else { "\(self)" }
    }

    /// Where a key is, for messages.
    var phrase: String {
        switch self {
        case .root: "at the root"
        case .command(let action): "in '\(action.rawValue)'"
        case .table: "in a table entry"
        case .ddl: "in 'ddl'"
        case .s3: "in 's3'"
        case .logging: "in 'logging'"
        case .sentry: "in 'sentry'"
        case .connection: "in a connection"
        case .retention: "in 'retention'"
        case .masking: "in 'masking'"
        case .mask: "in a mask"
        case .redact: "in the mask 'redact'"
        case .rename: "in 'rename'"
        case .notify: "in 'notify'"
        case .subset: "in 'subset'"
        case .subsetStart: "in a start of 'subset'"
        case .subsetReference: "in a reference of 'subset'"
        }
    }

    /// What to do about a key that is not one of the level's.
    func advice(for key: String) -> String {
        if let place = place(of: key) { return "it belongs \(place)" }
        let names = ConfigurationKey.keys(in: self).map(\.name)
        if let nearest = KeySuggestion.nearest(to: key, among: names) { return "did you mean '\(nearest)'?" }
        return "remove it, or begin its name with 'x-' to keep it as a note"
    }

    /// Where a key of a whole run belongs; nil for others, and in a mapping that has nothing to do with runs.
    private func place(of key: String) -> String? {
        switch self {
        case .table, .command: break
        default: return nil
        }
        switch ConfigurationKey.home(of: key) {
        case .root, .reporting: return "at the root"
        case .run: return "in 'backup', in 'restore' or at the root"
        case .command(let kind): return "in '\(kind.rawValue)' or at the root"
        case .table, .inside, nil: return nil
        }
    }
}
