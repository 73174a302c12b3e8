public import Storage

/// Where the records of sets lie when the configuration does not say it: in `catalog/`, in the deepest folder that holds all
/// configured locations.
enum CatalogLocation {
    private static let slash = UInt8(ascii: "/")

    /// The folder that locations have in common.
    ///
    /// - Parameter locations: Templates; what follows the first variable does not count.
    /// - Returns: The deepest folder that holds all of them; nil when there is none, as of two buckets, or of a bucket and a
    ///   disk: the root of a disk is none either.
    static func folder(of locations: [Template]) -> StoragePath? {
        let folders = locations.map { try? $0.constantFolder() }
        guard var common = folders.first ?? nil else { return nil }
        for folder in folders.dropFirst() {
            guard let folder, let shared = shared(common, folder) else { return nil }
            common = shared
        }
        return common == .local("/") ? nil : common
    }

    /// Whether a path is a folder or in it, at any depth.
    static func contains(_ folder: StoragePath, _ path: StoragePath) -> Bool {
        shared(folder, path) == shared(folder, folder)
    }

    /// Those of some folders that are in no other one of them, sorted.
    static func outermost(_ folders: [StoragePath]) -> [StoragePath] {
        let all = Set(folders).sorted()
        return all.filter { folder in !all.contains { $0 != folder && contains($0, folder) } }
    }

    private static func shared(_ first: StoragePath, _ second: StoragePath) -> StoragePath? {
        switch (first, second) {
        case (.local(let first), .local(let second)):
            guard (first.utf8.first == slash) == (second.utf8.first == slash) else { return nil }
            let parts = shared(parts(first), parts(second))
            let path = parts.joined(separator: "/")
            return .local(first.utf8.first == slash ? "/" + path : path.isEmpty ? "." : path)
        case (.s3(let bucket, let first), .s3(let other, let second)):
            guard bucket.hasBytes(of: other) else { return nil }
            // An empty name between two slashes is a folder of S3's, and not the one above it.
            let parts = shared(first.isEmpty ? [] : first.split(atByte: "/"), second.split(atByte: "/"))
            return .s3(bucket: bucket, key: parts.joined(separator: "/"))
        case (.local, .s3), (.s3, .local):
            return nil
        }
    }

    private static func shared(_ first: [String], _ second: [String]) -> [String] {
        zip(first, second).prefix { $0.0.hasBytes(of: $0.1) }.map(\.0)
    }

    private static func parts(_ path: String) -> [String] {
        path.split(atByte: "/").filter { !$0.isEmpty && !$0.hasBytes(of: ".") }
    }
}

extension Template {
    /// The deepest folder of a location without a variable in its path.
    ///
    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    func constantFolder() throws -> StoragePath {
        let constant = try description.split(atByte: "/").prefix { try Template($0).variables.isEmpty }
        let path = try Template(constant.joined(separator: "/")).render([:])
        return try StoragePath(path.isEmpty ? (description.startsWithBytes(of: "/") ? "/" : ".") : path)
    }
}

extension Configuration {
    /// The folder of the set records of a command.
    ///
    /// - Parameter kind: The command.
    /// - Returns: What `catalog` names; else `catalog/` in the deepest folder that holds all configured locations; nil when
    ///   they have none in common. A restore looks where the backup of the same configuration writes, unless its locations
    ///   are elsewhere.
    public func catalog(for kind: RunKind) -> StoragePath? {
        let run = run(for: kind)
        if let path = run.catalog { return path }
        guard let folder = CatalogLocation.folder(of: locations(of: kind)) else { return nil }
        if kind == .restore, backup.run.catalog == nil,
            let written = CatalogLocation.folder(of: locations(of: .backup)), CatalogLocation.contains(written, folder)
        {
            return written.appending("catalog")
        }
        return folder.appending("catalog")
    }

    /// Of definitions only the one that is given: its default is a folder of this machine's, wherever the tables are.
    private func locations(of kind: RunKind) -> [Template] {
        let definitions = run(for: kind).definitions
        let tables =
            switch kind {
            case .backup: backup.tables.map(\.options.location)
            case .restore: restore.tables.map(\.options.location)
            }
        return tables + (definitions.hasExplicitLocation ? [definitions.location] : [])
    }
}
