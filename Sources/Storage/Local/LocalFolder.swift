import Glibc
import SystemPackage

/// The folder of a local file: created when missing, checked for symbolic links, flushed to the disk.
struct LocalFolder: Sendable {
    /// The folder's path; "." for a file without one.
    let path: String

    init(of file: String) {
        path = StoragePath.local(file).parent?.text ?? "."
    }

    init(path: String) {
        self.path = path.isEmpty ? "." : path
    }

    /// Creates the folder and the missing ones above it, readable only by their owner.
    func create() throws {
        try checkLinks()
        do {
            try create(FilePath(path))
        } catch {
            throw StorageError.local(error, path, "cannot be created", subject: "the folder \(path)")
        }
    }

    private func create(_ folder: FilePath) throws {
        if let status = try? folder.stat() {
            guard status.type == .directory else { throw Errno.notDirectory }
            return
        }
        let above = folder.removingLastComponent()
        if !above.isEmpty, above != folder { try create(above) }
        // Another process may create it at the same time.
        guard mkdir(folder.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        // A folder is as lasting as the entry that names it.
        try LocalFolder(of: folder.string).flush()
    }

    /// Makes renames and new names in the folder durable: they survive a power failure.
    func flush() throws {
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.directory, .closeOnExec])
        defer { try? descriptor.close() }
        // Some network file systems cannot flush folders and need not.
        guard fsync(descriptor.rawValue) != 0, errno != EINVAL else { return }
        throw Errno(rawValue: errno)
    }

    /// Refuses symbolic links that another user created.
    ///
    /// A link among the folders of a path is followed only when it belongs to root or to the user of this process, as with
    /// the kernel's `protected_symlinks`: another user who can write to the target folder cannot send files elsewhere.
    func checkLinks() throws {
        var prefix = FilePath(path).root.map { FilePath(root: $0) } ?? FilePath("")
        for component in FilePath(path).components {
            prefix.append(component)
            guard let status = try? prefix.stat(followTargetSymlink: false) else { return }
            guard status.type == .symbolicLink else { continue }
            guard status.userID.rawValue == 0 || status.userID.rawValue == geteuid() else {
                throw StorageError(
                    .unsafeLink,
                    "\(path) is reached through the symbolic link \(prefix), which belongs to another user "
                        + "and is not followed",
                    hint: "remove the link or give the path that it leads to",
                    path: .local(path)
                )
            }
        }
    }
}

extension FilePath {
    init(root: Root) {
        self.init(root: root, [])
    }
}
