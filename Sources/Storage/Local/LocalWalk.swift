import Glibc
import SystemPackage

/// The way to a folder or a file, one component after the other: no step follows a link that was not looked at.
struct LocalWalk {
    /// As many as Linux follows.
    private static let mostLinks = 40

    /// The path as it was given.
    private let path: String
    private let createsMissing: Bool
    /// The folder in which the walk is.
    private(set) var folder: OpenFile
    /// Where the walk is, for messages.
    private var place: FilePath
    /// What is still to be walked, the next one last.
    private var waiting: [FilePath.Component]
    private var links = 0

    /// Begins at the root, or in the working directory.
    init(to path: String, creatingMissing: Bool = false) throws(Errno) {
        let whole = FilePath(path)
        self.path = path
        createsMissing = creatingMissing
        place = whole.root.map { FilePath(root: $0) } ?? FilePath("")
        waiting = whole.components.reversed()
        folder = try Self.start(whole.isAbsolute ? "/" : ".")
    }

    /// Goes through everything that is left; it has to be folders.
    mutating func enterFolders() throws {
        while let name = waiting.popLast() { try enter(name) }
    }

    /// Goes to a file, through links that may be followed, its own name among them.
    /// - Parameter flags: How to open the file.
    /// - Returns: The open file.
    /// - Throws: `StorageError` with code `unsafeLink` for a link that is not followed; `Errno`.
    mutating func openFile(_ flags: Int32) throws -> OpenFile {
        while true {
            guard let name = waiting.first else { throw Errno.isDirectory }
            waiting.removeFirst()
            try enterFolders()
            let found = try open(name, pathOnly)
            guard try found.status().type == .symbolicLink else {
                return flags == pathOnly ? found : try open(name, flags)
            }
            try follow(found, named: name)
        }
    }

    private mutating func enter(_ name: FilePath.Component) throws {
        let next = try opening(name)
        switch try next.status().type {
        case .symbolicLink:
            try follow(next, named: name)
        case .directory:
            folder = next
            place.append(name)
        default:
            throw Errno.notDirectory
        }
    }

    private func opening(_ name: FilePath.Component) throws(Errno) -> OpenFile {
        do {
            return try open(name, pathOnly)
        } catch .noSuchFileOrDirectory where createsMissing {
            // Another process may create it at the same time.
            guard mkdirat(folder.descriptor.rawValue, name.string, 0o700) == 0 || errno == EEXIST else {
                throw Errno(rawValue: errno)
            }
            // A folder is as lasting as the entry that names it.
            try flushFolder(folder.descriptor)
            return try open(name, pathOnly)
        }
    }

    private func open(_ name: FilePath.Component, _ flags: Int32) throws(Errno) -> OpenFile {
        OpenFile(
            try openedDescriptor(openat(folder.descriptor.rawValue, name.string, flags | O_NOFOLLOW | O_CLOEXEC))
        )
    }

    private static func start(_ path: String) throws(Errno) -> OpenFile {
        OpenFile(try openedDescriptor(openat(AT_FDCWD, path, pathOnly | O_DIRECTORY | O_CLOEXEC)))
    }

    /// Puts what a link leads to in the place of its name.
    private mutating func follow(_ link: OpenFile, named name: FilePath.Component) throws {
        let status = try link.status()
        guard status.userID.rawValue == 0 || status.userID.rawValue == geteuid() else {
            throw StorageError(
                .unsafeLink,
                "\(path) is reached through the symbolic link \(place.appending(name)), which belongs to another user "
                    + "and is not followed",
                hint: "remove the link or give the path that it leads to",
                path: .local(path)
            )
        }
        links += 1
        guard links <= Self.mostLinks else { throw Errno.tooManySymbolicLinkLevels }
        let target = try target(of: link)
        waiting += target.components.reversed()
        guard let root = target.root else { return }
        folder = try Self.start("/")
        place = FilePath(root: root)
    }

    private func target(of link: OpenFile) throws(Errno) -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlinkat(link.descriptor.rawValue, "", &buffer, buffer.count - 1)
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return buffer.withUnsafeBufferPointer { text in
            text.baseAddress.map { FilePath(platformString: $0) } ?? FilePath("")
        }
    }
}

extension FilePath {
    fileprivate init(root: Root) {
        self.init(root: root, [])
    }
}
