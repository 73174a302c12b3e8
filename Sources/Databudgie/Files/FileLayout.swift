import Storage

/// Where the files of an entry are: every path and pattern comes from here.
///
/// Data is at `<location>/<filename>`, the values of sequences at `<location>/sequences/<filename>`, definitions at
/// `<location>/ddl/<filename>`, and the list of tables with definitions at `<ddl.location>/<ddl.filename>`. Below the list's
/// folder are, for databudgie 2.9.3 to overlook, `views/<ddl.filename>` and `database/<ddl.filename>`.
struct FileLayout: Sendable {
    /// What a file holds.
    enum Content: Sendable, Hashable {
        /// Rows in this form.
        case data(DataFileFormat)
        /// Rows in any form.
        case anyData
        /// The values of a table's sequences.
        case sequences
        /// The definition of a table, or of what belongs to a schema.
        case definition
        /// The names of the tables that have definitions, as databudgie 2.9.3 lists them.
        case definitionList
        /// The names of what else has definitions: views and the like that globs found, and schemas.
        case furtherDefinitions
        /// The definitions of what belongs to the database as a whole.
        case databaseDefinition

        /// The folder below the entry's own one.
        var folder: String? {
            switch self {
            case .data, .anyData, .definitionList: nil
            case .sequences: "sequences"
            case .definition: "ddl"
            case .furtherDefinitions: "views"
            case .databaseDefinition: "database"
            }
        }

        /// What stands for `{ext}`; nil for any form of data.
        var ext: String? {
            switch self {
            case .data(let format): format.ext
            case .anyData: nil
            case .sequences, .definitionList, .furtherDefinitions: "json"
            case .definition, .databaseDefinition: "sql"
            }
        }
    }

    /// The template of the folder.
    let location: Template
    /// The template of each file's name.
    let filename: Template

    /// The layout of an entry's files.
    init(_ options: TableOptions) {
        (location, filename) = (options.location, options.filename)
    }

    /// The layout of lists of tables.
    init(_ definitions: DefinitionConfiguration) {
        (location, filename) = (definitions.location, definitions.filename)
    }

    /// The path of a file that a run writes.
    ///
    /// - Parameters:
    ///   - content: What the file holds.
    ///   - name: What `{table}` stands for; nil when the file is not about a table.
    ///   - timestamp: The moment of the run.
    /// - Returns: The file's path.
    /// - Throws: `StorageError` for a location that is not a path.
    func path(_ content: Content, of name: PathComponent?, at timestamp: RunTimestamp) throws -> StoragePath {
        let text = try name.map { try fitting($0.text) }
        let values = values(content, text).merging(timestamp.values) { known, _ in known }
        var folder = try StoragePath(location.render(values))
        if let subfolder = content.folder { folder = folder.appending(subfolder) }
        return folder.appending(filename.render(values))
    }

    /// The folder of the files of a name.
    ///
    /// - Throws: `StorageError` for a location that is not a path.
    func folder(of name: PathComponent?, as format: DataFileFormat, at timestamp: RunTimestamp) throws -> StoragePath {
        let text = try name.map { try fitting($0.text) }
        return try StoragePath(
            location.render(values(.data(format), text).merging(timestamp.values) { known, _ in known })
        )
    }

    /// The paths that files of all runs may have.
    ///
    /// - Parameters:
    ///   - content: What the files hold.
    ///   - name: What `{table}` stands for; nil when the files are not about a table.
    /// - Returns: Where to look, and which names count.
    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    func pattern(_ content: Content, of name: PathComponent?) throws -> FilePattern {
        var template = location
        if let subfolder = content.folder { template = template.appending(Template(parts: [.literal(subfolder)])) }
        template = template.appending(filename)
        guard let name, template.variables.contains(.table) else {
            return try FilePattern(template, known: values(content, name?.text))
        }
        var pattern = try FilePattern(template, known: values(content, fitting(name.text)))
        pattern.alternatives = try forms(of: name).dropFirst().map {
            try FilePattern(template, known: values(content, $0))
        }
        pattern.hidesAlternatives = name.hasTwin
        return pattern
    }

    /// What may stand for a name in paths.
    ///
    /// - Parameter name: The name of a table or schema.
    /// - Returns: What a backup writes, then the forms that other backups may have written.
    /// - Throws: `StorageError` for a location that is not a path.
    fileprivate func forms(of name: PathComponent) throws -> [String] {
        let text = try fitting(name.text)
        // What is too long for a disk may have been written to S3 as it is, and copied from one to the other.
        let forms = [name.text, name.otherText].compactMap(\.self).flatMap { [$0, PathComponent.shortened($0)] }
        var seen: Set = [ByteKey(text)]
        return [text] + (try forms.filter { try seen.insert(ByteKey($0)).inserted && isPossible($0) })
    }

    /// The most bytes of a name on a disk, and of a key in S3.
    private static let (longestName, longestKey) = (255, 1024)

    /// A name as it is, or shortened when a path with it would be too long, whatever the path is for.
    private func fitting(_ text: String) throws -> String {
        try isPossible(text) ? text : PathComponent.shortened(text)
    }

    /// Whether all paths with a name are short enough; the same for all kinds of files, so all have the same name.
    private func isPossible(_ text: String) throws -> Bool {
        let values: [Template.Variable: String] = [
            .table: text, .ext: "csv.zst", .timestamp: "2000-01-01T00:00:00", .date: "2000-01-01",
        ]
        switch try StoragePath(location.render(values)).appending("sequences").appending(filename.render(values)) {
        case .local(let path):
            return path.utf8.split(separator: UInt8(ascii: "/")).allSatisfy { $0.count <= Self.longestName }
        case .s3(_, let key):
            return key.utf8.count <= Self.longestKey
        }
    }

    private func values(_ content: Content, _ name: String?) -> [Template.Variable: String] {
        var values: [Template.Variable: String] = [:]
        values[.table] = name
        values[.ext] = content.ext
        return values
    }
}

extension RunTimestamp {
    fileprivate var values: [Template.Variable: String] { [.timestamp: timestamp, .date: date] }
}

extension TableOptions {
    /// The options of a table that is included by a foreign key, below the location of the table that refers to it.
    ///
    /// - Parameters:
    ///   - name: The full name of the included table.
    ///   - owner: What stands for the table that the entry names.
    /// - Returns: The entry's options with a name and a location for the table: first where a backup writes, then where
    ///   other backups may have written.
    /// - Throws: `StorageError` for a location that is not a path.
    func places(of name: String, below owner: PathComponent) throws -> [TableOptions] {
        let forms = location.variables.contains(.table) ? try FileLayout(self).forms(of: owner) : [owner.text]
        return forms.map { form in
            let parts = location.parts.map { $0 == .variable(.table) ? .literal(form) : $0 }
            var options = self
            options.location = Template(parts: parts).appending(Template(parts: [.variable(.table)]))
            options.name = name
            options.exclude = []
            options.followsForeignKeys = false
            return options
        }
    }
}
