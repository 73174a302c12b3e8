import FoundationEssentials
import Glibc
import SystemPackage

/// A file under a name of its own beside the target, until it is complete and takes the target's place.
struct TemporaryFile: Sendable {
    /// The local path that the file will have.
    let target: String
    /// The path that it has until then.
    let path: String
    let descriptor: FileDescriptor

    /// Creates the target's folder and an empty file in it that only its owner can read.
    static func create(for target: String) throws -> TemporaryFile {
        let folder = LocalFolder(of: target)
        try folder.create()
        let path = StoragePath.local(folder.path).appending(name(for: StoragePath.local(target).lastComponent)).text
        do {
            let descriptor = try FileDescriptor.open(
                FilePath(path),
                .writeOnly,
                options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite]
            )
            return TemporaryFile(target: target, path: path, descriptor: descriptor)
        } catch {
            throw StorageError.local(error, target, "cannot be written")
        }
    }

    /// Creates a name that no data file has: hidden, random, ending in `.partial`, at most 255 bytes long.
    static func name(for target: String) -> String {
        let suffix = "." + String(UInt64.random(in: .min ... .max), radix: 16) + ".partial"
        var stem = target
        while stem.utf8.count + suffix.utf8.count + 1 > 255 { stem.removeLast() }
        return "." + stem + suffix
    }

    /// Whether a name is one that `name(for:)` creates.
    static func isTemporary(_ name: String) -> Bool {
        name.beginsWithBytes(of: ".") && name.endsWithBytes(of: ".partial")
    }

    /// Writes a chunk at an offset in bytes.
    func write(_ chunk: [UInt8], at offset: Int64) throws {
        do {
            try descriptor.writeAll(toAbsoluteOffset: offset, chunk)
        } catch {
            throw StorageError.local(error, target, "cannot be written")
        }
    }

    /// Asks the system to begin writing to the disk, so the flush at the end is short.
    func startFlushing(from offset: Int64, count: Int64) {
        // Dirty pages cannot be dropped: the advice makes the kernel write them, without waiting.
        _ = posix_fadvise(descriptor.rawValue, Int(offset), Int(count), POSIX_FADV_DONTNEED)
    }

    /// Flushes everything to the disk and gives the file its name.
    /// - Returns: What is there now.
    func publish(ifExists: ExistingFile) throws -> FileInfo {
        do {
            try check(fsync(descriptor.rawValue))
            let status = try descriptor.stat()
            try rename(ifExists)
            try LocalFolder(of: target).flush()
            return FileInfo(path: .local(target), status: status)
        } catch {
            throw StorageError.local(error, target, "cannot be written")
        }
    }

    private func rename(_ ifExists: ExistingFile) throws {
        if ifExists == .fail {
            do {
                // A second name for the file is refused when the name is taken, by whomever and however late.
                try check(link(path, target))
                try? check(unlink(path))
                return
            } catch  where [.notPermitted, .notSupported].contains(error) {
                // A file system without hard links: an empty file holds the name until the rename.
                try FileDescriptor.open(
                    target,
                    .writeOnly,
                    options: [.create, .exclusiveCreate],
                    permissions: [.ownerReadWrite]
                )
                .close()
            }
        }
        // A symbolic link under the target's name is replaced itself; what it leads to stays as it is.
        try check(systemRename(path, target))
    }

    /// Removes what was written, whatever state it is in.
    func discard() {
        try? check(unlink(path))
        close()
    }

    /// Closes the descriptor; everything was flushed before, so nothing can go wrong any more.
    func close() {
        try? descriptor.close()
    }
}

/// The C library's function, which a method's name hides.
private func systemRename(_ from: UnsafePointer<CChar>, _ to: UnsafePointer<CChar>) -> Int32 { rename(from, to) }

extension FileInfo {
    init(path: StoragePath, status: Stat) {
        let modified = status.st_mtim
        self.init(
            path: path,
            size: status.size,
            modified: Date(timeIntervalSince1970: Double(modified.tv_sec) + Double(modified.tv_nsec) / 1e9),
            version: "\(status.inode.rawValue)-\(modified.tv_sec).\(modified.tv_nsec)"
        )
    }
}
