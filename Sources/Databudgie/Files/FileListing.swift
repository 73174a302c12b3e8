import Storage

/// Finds the data files that earlier backups left for a job.
///
/// Folders are listed once, however many jobs share them.
struct FileListing: Sendable {
    private struct Listing: Hashable {
        let folder: StoragePath
        let recursive: Bool
    }

    private let files: [Listing: [FileInfo]]

    /// Lists the folders of all patterns.
    ///
    /// - Throws: `StorageError`.
    init(_ patterns: [FilePattern], in storages: StorageRouter) async throws {
        let listings = Array(Set(patterns.map(Self.listing)))
        let lists = try await listings.concurrentMap { listing in
            try await storages.storage(for: listing.folder).list(listing.folder, recursive: listing.recursive)
        }
        files = Dictionary(uniqueKeysWithValues: zip(listings, lists))
    }

    private static func listing(_ pattern: FilePattern) -> Listing {
        Listing(folder: pattern.folder, recursive: pattern.isNested)
    }

    /// The file that matches a pattern and is of a certain time; of several the one written last.
    ///
    /// - Parameters:
    ///   - pattern: One of those that were listed.
    ///   - time: As in the file's name.
    /// - Returns: nil when there is none.
    func file(_ pattern: FilePattern, of time: String) -> FileInfo? {
        files[Self.listing(pattern), default: []].filter { pattern.time(of: $0.path) == time }
            .max { $0.modified < $1.modified }
    }

    /// The newest file that matches a pattern.
    ///
    /// - Parameters:
    ///   - pattern: One of those that were listed.
    ///   - strategy: What newest means; without one, the time in the name.
    /// - Returns: nil when no file matches.
    func newest(_ pattern: FilePattern, by strategy: RestoreStrategy? = nil) -> FileInfo? {
        newest([pattern], by: strategy)
    }

    /// The newest file that matches one of several patterns.
    ///
    /// - Parameters:
    ///   - patterns: Some of those that were listed.
    ///   - strategy: What newest means; without one, the time in the name.
    /// - Returns: nil when no file matches.
    func newest(_ patterns: [FilePattern], by strategy: RestoreStrategy? = nil) -> FileInfo? {
        let candidates = patterns.flatMap { pattern in
            files[Self.listing(pattern), default: []]
                .compactMap { file in pattern.time(of: file.path).map { (time: $0, file: file) } }
        }
        switch strategy {
        case .useLatestMetadata:
            return candidates.map(\.file).max {
                ($0.modified, $0.path.description) < ($1.modified, $1.path.description)
            }
        case .useLatestFilename, .useLatestSet, nil:
            // Two files of one moment, say .csv and .csv.gz: the one written last.
            return candidates.max { ($0.time, $0.file.modified) < ($1.time, $1.file.modified) }?.file
        }
    }
}
