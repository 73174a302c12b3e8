/// Reads `mode` and `truncate`, of which each says a part of what happens to the rows of a table, and `conflict_columns`.
struct LoadModeReader {
    private let read: ValueReader
    private var report: ConfigurationProblems { read.report }

    init(_ read: ValueReader) {
        self.read = read
    }

    /// What happens to rows that are there: each key is taken from the nearest level that has it, and the nearer one counts
    /// when they contradict each other.
    ///
    /// - Returns: The mode, and what is emptied when it is to replace.
    func mode(_ scope: KeyScope) -> (mode: LoadMode, truncate: TruncateMode) {
        let truncate = truncate(scope["truncate"])
        let implied = truncate == .keep ? LoadMode.append : .replace
        guard let value = scope["mode"], let mode = read.choice(value, "mode", LoadMode.self) else {
            return (implied, truncate)
        }
        guard let other = scope["truncate"], !other.isNull, (mode == .replace) == (truncate == .keep),
            let distance = scope.distance(of: "mode"), let otherDistance = scope.distance(of: "truncate")
        else { return (mode, truncate) }
        guard distance <= otherDistance else { return (implied, truncate) }
        if distance == otherDistance {
            let text = truncate == .cascade ? "cascade" : String(truncate == .truncate)
            report.add(
                .invalidValue,
                "'mode: \(mode.rawValue)' contradicts 'truncate: \(text)' (\(other.place))",
                hint: "remove one of them",
                at: value.place
            )
        }
        return (mode, .keep)
    }

    private func truncate(_ value: SourceValue?) -> TruncateMode {
        guard let value else { return .keep }
        if value.scalar?.text.lowercased() == "cascade" { return .cascade }
        return read.bool(value, "truncate", expected: "true, false or cascade") == true ? .truncate : .keep
    }

    /// The columns by which rows are recognized; empty when none are given.
    func key(_ scope: KeyScope) -> [String] {
        guard let value = scope["conflict_columns"], let columns = read.texts(value, "conflict_columns") else {
            return []
        }
        var seen: Set<ByteKey> = []
        for column in columns where !seen.insert(ByteKey(column)).inserted {
            report.add(
                .invalidValue,
                "'conflict_columns' names \"\(column)\" twice",
                hint: "name each column once",
                at: value.place
            )
        }
        return columns
    }

    /// Reports columns of an entry that its mode has no use for; those of the levels above may be meant for other entries.
    func checkKey(in entry: SourceMapping, of mode: LoadMode) {
        guard !mode.merges, let value = entry["conflict_columns"], value.list?.isEmpty == false else { return }
        report.add(
            .invalidValue,
            "'conflict_columns' has no effect with 'mode: \(mode.rawValue)'",
            hint: "set 'mode: upsert' or 'mode: skip_existing', or remove it",
            at: value.place
        )
    }
}
