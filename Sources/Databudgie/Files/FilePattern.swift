import Storage

/// The paths that the data files of one job may have: where to look, and which names count.
struct FilePattern: Sendable {
    /// The deepest folder that all of them lie in.
    let folder: StoragePath
    /// What follows the folder, to be matched as a whole.
    private let remainder: Template
    private let known: [Template.Variable: String]

    /// The name is made of several components below the folder, as the location itself holds a time.
    var isNested: Bool { remainder.description.contains("/") }

    /// - Parameters:
    ///   - location: The folder's template.
    ///   - filename: The file name's template.
    ///   - table: The table's full name, encoded as one path component; nil for a job without a table.
    ///   - ext: What `{ext}` stands for; nil for any kind of data file.
    /// - Throws: `StorageError` for a location that is no path; ``ConfigurationError`` for a broken template.
    init(location: Template, filename: Template, table: String?, ext: String? = nil) throws {
        var known: [Template.Variable: String] = [:]
        known[.table] = table
        known[.ext] = ext
        self.known = known
        let folderText = location.description
        let text = (folderText.hasSuffix("/") ? String(folderText.dropLast()) : folderText) + "/" + filename.description
        let components = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let constant = try components.dropLast().prefix { component in
            try Template(component).variables.isSubset(of: [.table])
        }
        let folderTemplate = try Template(constant.joined(separator: "/"))
        let folderPath = folderTemplate.render(known)
        folder = try StoragePath(folderPath.isEmpty ? (folderText.hasPrefix("/") ? "/" : ".") : folderPath)
        remainder = try Template(components[constant.count...].joined(separator: "/"))
    }

    /// Whether a file is a data file of the job.
    ///
    /// - Parameter path: A path below ``folder``.
    /// - Returns: The time in the file's path, as text that sorts by age, or nil when the path does not match.
    func time(of path: StoragePath) -> String? {
        let prefix = folder.description + (folder.description.hasSuffix("/") ? "" : "/")
        var text = Substring(path.description)
        if text.hasPrefix(prefix) {
            text = text.dropFirst(prefix.count)
        } else if folder != .local(".") {
            return nil
        }
        return remainder.match(String(text), known)?.moment
    }
}
