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
        places = try layouts.map { Place(folder: try $0.location.constantFolder(), filename: $0.filename) }
        folders = CatalogLocation.outermost(places.map(\.folder))
    }

    /// Whether a path is one that the configuration gives to files, or to the probe that a backup begins with.
    ///
    /// On a disk the name of a temporary file says enough.
    func isOurs(_ path: StoragePath) -> Bool {
        guard case .s3 = path else { return true }
        return places.contains { place in
            CatalogLocation.contains(place.folder, path) && (isProbe(path) || isName(path, place.filename))
        }
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
