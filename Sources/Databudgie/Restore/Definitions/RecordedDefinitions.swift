import Foundation
import Storage

/// The files with definitions that a set has: what is looked for is found among them, wherever the set has been copied to.
struct RecordedDefinitions: Sendable {
    /// The id of the set.
    let set: String
    /// A listing in which nothing counts but these files.
    let listing: FileListing
    private let base: StoragePath
    private let files: [StoragePath: RestoreSet.File]

    init(_ set: RestoreSet) {
        self.set = set.id
        base = set.base
        files = Dictionary(
            set.definitions.map { ($0.path, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        listing = FileListing(
            of: set.definitions.map {
                FileInfo(path: $0.path, size: $0.bytes, modified: .distantPast, version: nil)
            }
        )
    }

    private var hint: String { RestoreSet.hint(for: set) }

    /// Reads a file, which has to be the one that was recorded.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - storages: Where it is.
    ///   - limit: The most bytes that it may have.
    /// - Returns: Its bytes.
    /// - Throws: ``DatabudgieError`` when it is missing or another one; `StorageError`.
    func read(_ path: StoragePath, _ storages: StorageRouter, upTo limit: Int) async throws -> [UInt8] {
        do {
            let bytes = try await storages.storage(for: path).read(path).collect(upTo: limit)
            try files[path]?.check(bytes, of: set)
            return bytes
        } catch let error as StorageError where error.code == .notFound {
            throw DatabudgieError(
                .preflight,
                "\(path), which the set \(set) consists of, is missing",
                hint: hint,
                underlying: error
            )
        }
    }

    // MARK: - Places

    /// The entries with the locations at which the set has their definitions.
    func placed(_ entries: [RestoreEntry]) -> [RestoreEntry] {
        var locations: [[ByteKey]: Template] = [:]
        return entries.map { entry in
            var entry = entry
            let (location, filename) = (entry.options.location, entry.options.filename)
            let key = [ByteKey(location.description), ByteKey(filename.description)]
            let found = locations[key] ?? self.location(location, "ddl", filename, "sql")
            locations[key] = found
            entry.options.location = found
            return entry
        }
    }

    /// The settings with the location at which the set has its lists.
    func placed(_ settings: DefinitionConfiguration) -> DefinitionConfiguration {
        var settings = settings
        settings.location = location(settings.location, nil, settings.filename, "json")
        return settings
    }

    /// Where files of a location are: there, in the working directory, or at the end of its path, below the folder that the set was copied to.
    private func location(_ location: Template, _ folder: String?, _ filename: Template, _ ext: String) -> Template {
        func hasFiles(_ location: Template) -> Bool {
            let inner = folder.map { location.appending(Template(parts: [.literal($0)])) } ?? location
            let template = inner.appending(filename)
            return files.keys.contains { template.match($0.description, [.ext: ext]) != nil }
        }
        guard !hasFiles(location) else { return location }
        // The record has absolute paths of files that are not below the folder of its catalog.
        let absolute = Template(parts: [.literal(FileManager.default.currentDirectoryPath)]).appending(location)
        if location.description.utf8.first != UInt8(ascii: "/"), hasFiles(absolute) { return absolute }
        let components = location.description.split(atByte: "/")
        let suffixes = components.indices.dropFirst().map { components[$0...].joined(separator: "/") }
        return suffixes.lazy.compactMap { try? Template($0) }.map(below).first(where: hasFiles)
            ?? [Template(parts: [.literal(base.description)])].first(where: hasFiles) ?? location
    }

    private func below(_ location: Template) -> Template {
        guard base != .local(".") else { return location }
        return Template(parts: [.literal(base.description)]).appending(location)
    }
}
