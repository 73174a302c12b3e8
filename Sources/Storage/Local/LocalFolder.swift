import Glibc
import SystemPackage

/// An open folder, reached without a symbolic link of another user.
///
/// A link among the folders of a path is followed only when it belongs to root or to the user of this process, as with the
/// kernel's `protected_symlinks`: another user who can write to a folder above cannot send files elsewhere. Folders are
/// opened one below the other and never through a link, so it does not matter when somebody puts one there.
final class LocalFolder: Sendable {
    /// The path as it was given; "." for one without folders.
    let path: String
    private let opened: OpenFile
    private var descriptor: FileDescriptor { opened.descriptor }

    /// Opens a folder.
    /// - Parameters:
    ///   - path: The folder's path.
    ///   - creatingMissing: Whether missing folders are created, readable only by their owner.
    /// - Throws: `StorageError` with code `unsafeLink` for a link that is not followed; `Errno`.
    convenience init(path: String, creatingMissing: Bool = false) throws {
        var walk = try LocalWalk(to: path, creatingMissing: creatingMissing)
        try walk.enterFolders()
        self.init(path: path.isEmpty ? "." : path, walk.folder)
    }

    private init(path: String, _ opened: OpenFile) {
        self.path = path
        self.opened = opened
    }

    /// Opens an entry of the folder, which must not be a symbolic link.
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> FileDescriptor {
        try openedDescriptor(openat(descriptor.rawValue, name, flags | O_NOFOLLOW | O_CLOEXEC, mode))
    }

    /// Looks an entry up; a symbolic link is not followed.
    func status(of name: String) throws(Errno) -> Stat {
        try Stat(name, relativeTo: descriptor, flags: .symlinkNoFollow)
    }

    /// Gives a file a second name, unless the name is taken.
    func link(_ name: String, as other: String) throws(Errno) {
        try check(linkat(descriptor.rawValue, name, descriptor.rawValue, other, 0))
    }

    /// Renames a file; what had the name is replaced.
    func rename(_ name: String, to other: String) throws(Errno) {
        try check(renameat(descriptor.rawValue, name, descriptor.rawValue, other))
    }

    /// Removes a file's name.
    func remove(_ name: String) throws(Errno) {
        try check(unlinkat(descriptor.rawValue, name, 0))
    }

    /// Makes renames and new names in the folder durable: they survive a power failure.
    func flush() throws(Errno) {
        try flushFolder(descriptor)
    }

    /// The names of the entries, in no particular order.
    func names() throws(Errno) -> [String] {
        let readable = try openedDescriptor(openat(descriptor.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        guard let stream = fdopendir(readable.rawValue) else {
            let failure = Errno(rawValue: errno)
            try? readable.close()
            throw failure
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names
    }

    /// Opens a folder in this one, which must not be a symbolic link.
    func folder(_ name: String, path: String) throws(Errno) -> LocalFolder {
        LocalFolder(path: path, OpenFile(try open(name, pathOnly | O_DIRECTORY)))
    }
}

/// Opens an entry only to look at it or to pass through it, without the permission to read it (`O_PATH`).
///
/// Swift does not import the constant, which is the same on all of Linux's architectures that Swift supports.
let pathOnly: Int32 = 0o10_000_000

/// A file descriptor that is closed when nobody uses it any more.
final class OpenFile: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Looks at what is open; the file stays open meanwhile, though nobody may need it afterwards.
    func status() throws(Errno) -> Stat {
        try descriptor.stat()
    }

    deinit {
        try? descriptor.close()
    }
}

/// Wraps what a call of the C library opened, or throws the system's error.
func openedDescriptor(_ result: Int32) throws(Errno) -> FileDescriptor {
    guard result >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: result)
}

/// Makes new names in an open folder durable.
func flushFolder(_ folder: FileDescriptor) throws(Errno) {
    let readable = try openedDescriptor(openat(folder.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    defer { try? readable.close() }
    // Some network file systems cannot flush folders and need not.
    guard fsync(readable.rawValue) != 0, errno != EINVAL, errno != ENOSYS, errno != EOPNOTSUPP else { return }
    throw Errno(rawValue: errno)
}
