import Postgres
import Storage

/// The paths that backups of a configuration give to their files: databudgie cannot have written any other one there.
///
/// A path belongs to a configuration when all of it matches: the location, below it the folder of what the file holds, the
/// file's name, and the table that both name. Looking a path up takes as long for one entry as for thousands.
struct OwnPaths: Sendable {
    /// The places by the components of their paths before the first variable.
    private var places: [[ByteKey]: [OwnPlace]] = [:]

    /// Gathers the paths of all entries and of the list of definitions.
    ///
    /// - Throws: ``ConfigurationError`` for a broken template.
    init(_ backup: BackupConfiguration) throws {
        var byTemplates: [[Template]: OwnPlace] = [:]
        for entry in backup.tables {
            let key = [entry.options.location, entry.options.filename]
            var place = try byTemplates[key] ?? OwnPlace(FileLayout(entry.options), .tables)
            place.add(entry.options)
            byTemplates[key] = place
        }
        let lists = try OwnPlace(FileLayout(backup.run.definitions), .lists)
        for place in Array(byTemplates.values) + [lists] { places[place.constant, default: []].append(place) }
    }

    /// When a file was written, as far as its name says.
    ///
    /// - Parameter path: A path as a listing returns it.
    /// - Returns: The timestamp or date in the path; empty when it has neither; nil when the path is not one of ours.
    func moment(of path: StoragePath) -> String? {
        let components = OwnPlace.components(path.description)
        let keys = components.map { ByteKey($0) }
        return (0..<components.count).lazy.flatMap { places[Array(keys.prefix($0)), default: []] }
            .compactMap { $0.moment(of: components) }.first
    }
}

/// The files of all entries that have the same location and file name.
struct OwnPlace: Sendable {
    enum Kind: Sendable {
        case tables, lists

        var contents: [FileLayout.Content] {
            switch self {
            case .tables: [.anyData, .sequences, .definition]
            case .lists: [.definitionList, .furtherDefinitions, .databaseDefinition]
            }
        }
    }

    private let location: [Template]
    private let filename: Template
    private let kind: Kind
    /// Names without wildcards, as they are written and as free labels have them in paths.
    private var names: Set<ByteKey> = []
    private var globs: Set<Glob> = []
    private var followsForeignKeys = false

    /// The components of the location that have no variable; none for the working directory.
    var constant: [ByteKey] {
        location.prefix { $0.variables.isEmpty }.map { ByteKey($0.render([:])) }
    }

    /// The components of a path, without what means nothing on a disk; the first one of a path from the root is empty.
    static func components(_ path: String) -> [String] {
        let components = path.split(atByte: "/")
        if path.startsWithBytes(of: "s3://") { return components.last == "" ? components.dropLast() : components }
        let meaningful = components.filter { !$0.isEmpty && !$0.hasBytes(of: ".") }
        return (path.startsWithBytes(of: "/") ? [""] : []) + meaningful
    }

    init(_ layout: FileLayout, _ kind: Kind) throws {
        location = try Self.components(layout.location.description).map { try Template($0) }
        (filename, self.kind) = (layout.filename, kind)
    }

    /// Adds what an entry may have written here.
    mutating func add(_ options: TableOptions) {
        followsForeignKeys = followsForeignKeys || options.followsForeignKeys
        guard let name = options.name else { return }
        names.formUnion([ByteKey(name), ByteKey(PathComponent(label: name).text)])
        let glob = Glob(name)
        if glob.hasWildcards { globs.insert(glob) }
    }

    func moment(of components: [String]) -> String? {
        let depth = location.count
        guard components.count > depth, var values = values(components.prefix(depth)) else { return nil }
        let rest = components[depth...]
        if let moment = moment(rest, values) { return moment }
        guard followsForeignKeys, rest.count > 1, PathComponent.name(rest[depth]) != nil else { return nil }
        // A table that is included by a foreign key has a folder of its own below the one of the entry's table.
        if let owner = values[.table], !isCovered(owner) { return nil }
        values[.table] = rest[depth]
        return moment(rest.dropFirst(), values, isFollowed: true)
    }

    /// What the variables of the location stand for.
    private func values(_ components: ArraySlice<String>) -> [Template.Variable: String]? {
        var values: [Template.Variable: String] = [:]
        for (template, component) in zip(location, components) {
            guard let match = template.match(component, values) else { return nil }
            values.merge(match.values) { known, _ in known }
        }
        return values
    }

    private func moment(
        _ components: ArraySlice<String>,
        _ values: [Template.Variable: String],
        isFollowed: Bool = false
    ) -> String? {
        for content in kind.contents {
            var rest = components
            if let folder = content.folder {
                guard let first = rest.popFirst(), first.hasBytes(of: folder) else { continue }
            }
            var known = values
            known[.ext] = content.ext
            for match in filename.matches(rest.joined(separator: "/"), known) {
                let table = match.values[.table] ?? values[.table]
                let isSchema = content == .definition && table.flatMap(PathComponent.schema) != nil
                if isFollowed || isSchema || table.map(isCovered) != false {
                    return values[.timestamp] ?? match.values[.timestamp] ?? values[.date] ?? match.moment
                }
            }
        }
        return nil
    }

    /// Whether an entry may stand for the table that a component names.
    private func isCovered(_ component: String) -> Bool {
        guard kind == .tables, !names.contains(ByteKey(component)) else { return true }
        guard let name = PathComponent.name(component) else { return false }
        // What was shortened cannot be read any more; nobody else gives such names.
        if component.containsBytes(of: "%-") { return true }
        // A name without a dot is in the default schema, which only the database knows.
        let forms = [name.description, name.name]
        return forms.contains { names.contains(ByteKey($0)) } || globs.contains { forms.contains(where: $0.matches) }
    }
}
