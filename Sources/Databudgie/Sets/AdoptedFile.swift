import Compression
import Postgres
import Storage

/// A file that a backup without a record has written, and what its path says of it.
struct AdoptedFile: Sendable {
    /// What the file holds.
    enum Content: Sendable {
        case data(CompressionFormat?)
        case sequences
        case definitions
    }

    /// The rows and sequences of one table of one run: what is in one place under one name.
    struct Owner: Hashable, Sendable {
        let place: Int
        let table: ByteKey
    }

    let file: FileInfo
    let content: Content
    /// The timestamp in the path.
    let id: String
    /// Whose file it is.
    let owner: Owner
    /// What stands for `{table}`; nil for a place that has no such variable.
    let table: String?
    /// The entry that writes to the place, when it is the only one, or the one of the table.
    let entry: BackupEntry?
}

/// Where the entries of a configuration put their files, the other way around: from a path to the table and the time.
struct AdoptionPlaces: Sendable {
    private struct Place: Sendable {
        let location: Template
        let filename: Template
        /// How many components the filename has.
        let depth: Int
        /// Tables that others refer to are in folders below.
        var followsForeignKeys = false
        /// By the exact names of tables.
        var entries: [ByteKey: BackupEntry] = [:]
        var isOnlyForDefinitions = false
    }

    private var places: [Place] = []
    /// Those with fewer variables first: what fits `sales/2026` is not a table `sales` of `{table}/2026`.
    private var order: [Int] = []
    /// The folders to search, none of them in another one.
    let folders: [StoragePath]

    /// Gathers the locations of all entries and of the list of definitions, each once.
    ///
    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    init(_ entries: [BackupEntry], _ definitions: DefinitionConfiguration) throws {
        var numbers: [[ByteKey]: Int] = [:]
        var folders: [StoragePath] = []
        func number(_ layout: FileLayout, _ places: inout [Place]) throws -> Int {
            let key = [ByteKey(layout.location.description), ByteKey(layout.filename.description)]
            if let number = numbers[key] { return number }
            folders.append(try layout.location.constantFolder())
            places.append(try Self.place(layout))
            numbers[key] = places.count - 1
            return places.count - 1
        }
        for entry in entries {
            let number = try number(FileLayout(entry.options), &places)
            if entry.options.followsForeignKeys { places[number].followsForeignKeys = true }
            if let name = entry.options.name, !Glob(name).hasWildcards { places[number].entries[ByteKey(name)] = entry }
        }
        func variables(_ place: Place) -> Int { place.location.variables.count }
        let count = places.count
        let list = try number(FileLayout(definitions), &places)
        if list == count { places[list].isOnlyForDefinitions = true }
        self.folders = CatalogLocation.outermost(folders)
        order = places.indices.sorted { (variables(places[$0]), $0) < (variables(places[$1]), $1) }
    }

    private static func place(_ layout: FileLayout) throws -> Place {
        let text = layout.location.description
        let slashes = text.utf8.reversed().prefix { $0 == UInt8(ascii: "/") }.count
        let trimmed = String(decoding: text.utf8.dropLast(slashes), as: UTF8.self)
        return Place(
            location: trimmed.isEmpty ? layout.location : try Template(trimmed),
            filename: layout.filename,
            depth: layout.filename.description.split(atByte: "/").count
        )
    }

    /// What a path says of its file.
    ///
    /// - Returns: nil for a file that the configuration's backup does not write, or whose path has no timestamp.
    func read(_ file: FileInfo) -> AdoptedFile? {
        let parts = file.path.description.split(atByte: "/")
        for number in order where parts.count > places[number].depth {
            let place = places[number]
            let name = parts.suffix(place.depth).joined(separator: "/")
            let folder = Array(parts.dropLast(place.depth))
            for form in Self.forms(of: place, folder) {
                guard let (owner, inFolder) = Self.owner(form.folder, place) else { continue }
                var known = inFolder
                if let ext = form.ext { known[.ext] = ext }
                guard let values = place.filename.match(name, known)?.values, let id = values[.timestamp] else {
                    continue
                }
                let table = owner ?? values[.table]
                return AdoptedFile(
                    file: file,
                    content: form.content ?? .data(Self.compression(values[.ext], name)),
                    id: id,
                    owner: AdoptedFile.Owner(place: number, table: ByteKey(table ?? "")),
                    table: table,
                    entry: Self.entry(table, place)
                )
            }
        }
        return nil
    }

    private typealias Form = (folder: [String], content: AdoptedFile.Content?, ext: String?)

    /// What a file in a folder may be; its own folder says what is not data.
    private static func forms(of place: Place, _ folder: [String]) -> [Form] {
        let special = [FileLayout.Content.sequences, .definition, .furtherDefinitions, .databaseDefinition].filter {
            content in
            content.folder.map { folder.last?.hasBytes(of: $0) == true } == true
        }.map { content -> Form in
            (Array(folder.dropLast()), content == .sequences ? .sequences : .definitions, content.ext)
        }
        let list = FileLayout.Content.definitionList
        return special + [place.isOnlyForDefinitions ? (folder, .definitions, list.ext) : (folder, nil, nil)]
    }

    /// Whose folder it is, and what its path says besides.
    private static func owner(
        _ folder: [String],
        _ place: Place
    ) -> (table: String?, known: [Template.Variable: String])? {
        if let match = place.location.match(folder.joined(separator: "/")) {
            return (match.values[.table], match.values)
        }
        guard place.followsForeignKeys, let table = folder.last,
            let match = place.location.match(folder.dropLast().joined(separator: "/"))
        else { return nil }
        return (table, match.values.merging([.table: table]) { $1 })
    }

    private static func entry(_ table: String?, _ place: Place) -> BackupEntry? {
        guard let table else { return place.entries.count == 1 ? place.entries.first?.value : nil }
        let name = PathComponent.name(table)?.description ?? table
        return place.entries[ByteKey(name)]
    }

    private static func compression(_ ext: String?, _ name: String) -> CompressionFormat? {
        let formats = DataFileFormat.all.compactMap(\.compression)
        if let ext { return formats.first { DataFileFormat(compression: $0).ext.hasBytes(of: ext) } }
        return DataFileFormat(fileName: name).compression
    }
}
