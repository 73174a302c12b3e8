import Storage

/// Where a backup's files may be, without a database that would say which tables there are.
struct CleanupPlaces: Sendable {
    private struct Place: Sendable {
        /// The deepest folder without a variable in its path.
        let folder: StoragePath
        let filename: Template
    }

    private let places: [Place]
    /// The folders to search, none of them in another one.
    let folders: [StoragePath]

    /// Gathers the locations of all entries and of the list of definitions.
    ///
    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    init(_ backup: BackupConfiguration) throws {
        let layouts = backup.tables.map { FileLayout($0.options) } + [FileLayout(backup.run.definitions)]
        places = try layouts.map { Place(folder: try Self.constantFolder(of: $0.location), filename: $0.filename) }
        let all = Set(places.map(\.folder)).sorted()
        folders = all.filter { folder in !all.contains { $0 != folder && Self.contains($0, folder) } }
    }

    /// Whether a path is one that the configuration gives to files, or to the probe that a backup begins with.
    ///
    /// On a disk the name of a temporary file says enough.
    func isOurs(_ path: StoragePath) -> Bool {
        guard case .s3 = path else { return true }
        return places.contains { place in
            Self.contains(place.folder, path) && (isProbe(path) || isName(path, place.filename))
        }
    }

    private static func constantFolder(of location: Template) throws -> StoragePath {
        let text = location.description
        let constant = try text.split(atByte: "/").prefix { try Template($0).variables.isEmpty }
        let path = try Template(constant.joined(separator: "/")).render([:])
        return try StoragePath(path.isEmpty ? (text.startsWithBytes(of: "/") ? "/" : ".") : path)
    }

    /// Whether a path is a folder or in it, at any depth.
    private static func contains(_ folder: StoragePath, _ path: StoragePath) -> Bool {
        let (outer, inner) = (folder.description.utf8, path.description.utf8)
        if folder == .local(".") { return inner.first != UInt8(ascii: "/") && !inner.starts(with: "s3://".utf8) }
        guard inner.starts(with: outer) else { return false }
        return outer.last == UInt8(ascii: "/") || inner.count == outer.count
            || inner.dropFirst(outer.count).first == UInt8(ascii: "/")
    }

    private func isProbe(_ path: StoragePath) -> Bool {
        path.lastComponent.hasBytes(of: S3Storage.probeName)
    }

    private func isName(_ path: StoragePath, _ filename: Template) -> Bool {
        let slash = UInt8(ascii: "/")
        let depth = filename.description.utf8.count { $0 == slash }
        let name = path.description.split(atByte: "/").suffix(depth + 1)
            .joined(separator: "/")
        return ([[:], [.ext: "json"], [.ext: "sql"]] as [[Template.Variable: String]]).contains { known in
            filename.match(name, known) != nil
        }
    }
}
