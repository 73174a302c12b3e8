import FoundationEssentials
import Glibc
import SystemPackage

/// A file under a name of its own beside the target, until it is complete and takes the target's place.
struct TemporaryFile: Sendable {
    /// The local path that the file will have.
    let target: String
    /// The name that it has until then.
    let name: String
    let descriptor: FileDescriptor
    private let folder: LocalFolder
    private let calls: LocalCalls
    /// The last component of the target.
    private var targetName: String { StoragePath.local(target).lastComponent }

    /// Creates the target's folder and an empty file in it that only its owner can read.
    /// - Parameters:
    ///   - target: The local path that the file will have.
    ///   - ifExists: Whether it is an error that it exists; a folder always is.
    ///   - calls: Calls of the system.
    /// - Returns: The empty file.
    /// - Throws: `StorageError`.
    static func create(
        for target: String,
        ifExists: ExistingFile = .replace,
        _ calls: LocalCalls = LocalCalls()
    ) throws -> TemporaryFile {
        let path = StoragePath.local(target).parent?.text ?? "."
        let folder: LocalFolder
        do {
            folder = try LocalFolder(path: path, creatingMissing: true)
        } catch {
            throw StorageError.local(error, path, "cannot be created", subject: "the folder \(path)")
        }
        let targetName = StoragePath.local(target).lastComponent
        do {
            if let status = try? folder.status(of: targetName) {
                guard status.type != .directory else { throw Errno.isDirectory }
                guard ifExists == .replace else { throw Errno.fileExists }
            }
            let name = name(for: targetName)
            let descriptor = try folder.open(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            return TemporaryFile(target: target, name: name, descriptor: descriptor, folder: folder, calls: calls)
        } catch {
            throw StorageError.local(error, target, "cannot be written")
        }
    }

    private static let suffix = ".partial"

    /// Creates a name that no data file has: hidden, random, ending in `.partial`, at most 255 bytes long.
    static func name(for target: String) -> String {
        let suffix = "." + String(UInt64.random(in: .min ... .max), radix: 16) + suffix
        var stem = target
        while stem.utf8.count + suffix.utf8.count + 1 > 255 { stem.removeLast() }
        return "." + stem + suffix
    }

    /// Whether a name is one that is never listed: hidden, and ending in `.partial`.
    static func isTemporary(_ name: String) -> Bool {
        name.beginsWithBytes(of: ".") && name.endsWithBytes(of: suffix)
    }

    /// What a file with a name that ``name(for:)`` creates is for; nil for all other names.
    ///
    /// The beginning of it, when the name was too long for a random number beside it.
    static func target(of name: String) -> String? {
        guard isTemporary(name) else { return nil }
        let inside = name.utf8.dropFirst().dropLast(suffix.utf8.count)
        guard let dot = inside.lastIndex(of: UInt8(ascii: ".")), dot != inside.startIndex else { return nil }
        let number = inside[inside.index(after: dot)...]
        guard (1...16).contains(number.count),
            number.allSatisfy({ $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) })
        else { return nil }
        return String(Substring(inside[..<dot]))
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
            let isReplaced = (try? folder.status(of: targetName)) != nil
            try rename(ifExists)
            do {
                try calls.flush(folder)
            } catch {
                // A name that may be gone after a power failure is not a success, and nothing is to stay of a failure;
                // but the file that was there before is gone already, and the new one is whole.
                if !isReplaced { try? folder.remove(targetName) }
                throw error
            }
            return FileInfo(path: .local(target), status: status)
        } catch {
            throw StorageError.local(error, target, "cannot be written")
        }
    }

    /// What file systems without hard links say: FUSE's, those of cameras and Windows, and some network's.
    private static let noLinks: [Errno] = [
        .notPermitted, .notSupported, .noFunction, .tooManyLinks, .notSupportedOnSocket, .permissionDenied,
        .invalidArgument, .improperLink,
    ]

    private func rename(_ ifExists: ExistingFile) throws(Errno) {
        guard ifExists == .fail else {
            // A symbolic link under the target's name is replaced itself; what it leads to stays as it is.
            return try folder.rename(name, to: targetName)
        }
        do {
            // A second name for the file is refused when the name is taken, by whomever and however late.
            try calls.link(folder, name, targetName)
            try? folder.remove(name)
        } catch  where Self.noLinks.contains(error) {
            // An empty file holds the name until the rename.
            let placeholder = try folder.open(targetName, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try? placeholder.close()
            do {
                try folder.rename(name, to: targetName)
            } catch {
                try? folder.remove(targetName)
                throw error
            }
        }
    }

    /// Removes what was written, whatever state it is in.
    func discard() {
        try? folder.remove(name)
        close()
    }

    /// Closes the descriptor; everything was flushed before, so nothing can go wrong any more.
    func close() {
        try? descriptor.close()
    }
}

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
