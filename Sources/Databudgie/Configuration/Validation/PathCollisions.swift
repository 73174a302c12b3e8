import Compression

/// Finds entries whose files would have the same path, as far as the templates tell; a plan knows the rest.
enum PathCollisions {
    private struct Target: Hashable {
        /// The table, where the path depends on it or nothing else tells the tables apart.
        let name: String?
        let exclude: [String]
        let path: String
    }

    static func check(_ entries: [BackupEntry], _ report: ConfigurationProblems) {
        var owners: [Target: BackupEntry] = [:]
        for entry in entries where entry.options.data {
            guard let target = target(of: entry) else { continue }
            guard let owner = owners.updateValue(entry, forKey: target) else { continue }
            report.add(
                ConfigurationError(
                    .invalidValue,
                    "this entry would write the same files as the one at \(owner.options.place), '\(target.path)'; "
                        + "give one of them another location or filename",
                    place: entry.options.place
                )
            )
        }
    }

    private static func target(of entry: BackupEntry) -> Target? {
        let options = entry.options
        let suffix = entry.compression?.fileSuffix ?? ""
        let path = "\(options.location)/\(options.filename)".replacing("{ext}", with: "csv\(suffix)")
        let dependsOnTable = options.location.variables.union(options.filename.variables).contains(.table)
        guard dependsOnTable, let name = options.name else { return Target(name: nil, exclude: [], path: path) }
        return Target(name: name, exclude: options.exclude, path: path)
    }
}
