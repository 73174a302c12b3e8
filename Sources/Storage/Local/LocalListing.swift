import Glibc
import SystemPackage

/// Walks a local folder.
struct LocalListing {
    /// The folder as the caller wrote it; the paths that are found begin with it.
    let folder: StoragePath
    /// The same as a path of the file system.
    let target: String

    /// Collects the regular files, in no particular order.
    func files(recursive: Bool) throws -> [FileInfo] {
        var found: [FileInfo] = []
        var waiting = [folder]
        while let next = waiting.popLast() {
            for name in try names(in: next) where !TemporaryFile.isTemporary(name) {
                let path = next.appending(name)
                // A file that vanished meanwhile is not listed.
                guard let status = try? FilePath(path.text).stat(followTargetSymlink: false) else { continue }
                if status.type == .regular {
                    found.append(FileInfo(path: path, status: status))
                } else if status.type == .directory, recursive {
                    waiting.append(path)
                }
            }
        }
        return found
    }

    private func names(in folder: StoragePath) throws -> [String] {
        guard let stream = opendir(folder.text) else {
            let failure = Errno(rawValue: errno)
            guard failure != .noSuchFileOrDirectory, failure != .notDirectory else { return [] }
            throw StorageError.local(failure, folder.text, "cannot be listed")
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
        guard errno == 0 else { throw StorageError.local(Errno(rawValue: errno), folder.text, "cannot be listed") }
        return names
    }
}
