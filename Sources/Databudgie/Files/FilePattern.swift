import Storage

/// The paths that the files of one job may have: where to look, and which names count.
struct FilePattern: Sendable {
    /// The deepest folder that all of them are in.
    let folder: StoragePath
    /// What follows the folder, to be matched as a whole.
    let remainder: Template
    /// What is known of the variables in the remainder.
    let known: [Template.Variable: String]
    /// Where files of the same job may be besides, under other forms of the table's name.
    var alternatives: [FilePattern] = []
    /// Files of the other forms count only when there is none of this one.
    var hidesAlternatives = false

    /// The name has several components below the folder, because the location itself holds a time.
    var isNested: Bool { remainder.description.utf8.contains(UInt8(ascii: "/")) }

    /// - Parameters:
    ///   - template: The template of the whole path.
    ///   - known: Variables that must have these values; `{ext}` without one is any form of data.
    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    init(_ template: Template, known: [Template.Variable: String]) throws {
        self.known = known
        let components = template.description.split(atByte: "/")
        let constant = try components.dropLast().prefix { component in
            try Template(component).variables.isSubset(of: [.table])
        }
        let path = try Template(constant.joined(separator: "/")).render(known)
        let isAbsolute = template.description.utf8.first == UInt8(ascii: "/")
        folder = try StoragePath(path.isEmpty ? (isAbsolute ? "/" : ".") : path)
        remainder = try Template(components[constant.count...].joined(separator: "/"))
    }

    /// Whether a file is one of the job's.
    ///
    /// - Parameter path: A path below ``folder``.
    /// - Returns: The time in the file's path, as text that sorts by age, or nil when the path does not match.
    func time(of path: StoragePath) -> String? {
        let own = name(of: path).flatMap { remainder.match($0, known)?.moment }
        return own ?? alternatives.lazy.compactMap { $0.time(of: path) }.first
    }

    /// What follows the folder in a path; nil when the path is not below it.
    func name(of path: StoragePath) -> String? {
        let (text, folderText) = (path.description.utf8, folder.description.utf8)
        let prefix = Array(folderText) + (folderText.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")])
        if text.starts(with: prefix) { return String(decoding: text.dropFirst(prefix.count), as: UTF8.self) }
        return folder == .local(".") ? path.description : nil
    }
}
