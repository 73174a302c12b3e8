/// Finds entries whose files would have the same path, as far as the templates say; a plan knows the rest.
enum PathCollisions {
    private struct Target: Hashable {
        /// The table, if the path depends on it.
        let name: ByteKey?
        let exclude: [ByteKey]
        let path: ByteKey
    }

    static func check(_ entries: [BackupEntry], _ report: ConfigurationProblems) {
        var owners: [Target: BackupEntry] = [:]
        for entry in entries where entry.options.includesRows {
            guard let target = target(of: entry) else { continue }
            guard let owner = owners.updateValue(entry, forKey: target) else { continue }
            report.add(
                ConfigurationError.Problem(
                    .invalidValue,
                    "this entry would write the same files as the one at \(owner.options.place): '\(target.path)'",
                    hint: Self.hint(entry.options),
                    place: entry.options.place
                )
            )
        }
    }

    /// What is missing is most often the table, as after `--location DIR` with several tables.
    private static func hint(_ options: TableOptions) -> String {
        let variables = options.location.variables.union(options.filename.variables)
        guard options.name != nil, !variables.contains(.table) else {
            return "give one of them another location or filename"
        }
        let location = options.location.appending(Template(parts: [.variable(.table)]))
        return "give each table a folder of its own: write the location as '\(location)'"
    }

    private static func target(of entry: BackupEntry) -> Target? {
        let options = entry.options
        let ext = DataFileFormat(compression: entry.compression).ext
        let pieces = options.location.appending(options.filename).parts
        let path = ByteKey(pieces.map { $0.isExtension ? ext : $0.written }.joined())
        let dependsOnTable = options.location.variables.union(options.filename.variables).contains(.table)
        guard dependsOnTable, let name = options.name else { return Target(name: nil, exclude: [], path: path) }
        return Target(name: ByteKey(name), exclude: options.exclude.map { ByteKey($0) }, path: path)
    }
}

extension Template.Part {
    fileprivate var isExtension: Bool {
        if case .variable(.ext) = self { true } else { false }
    }
}
