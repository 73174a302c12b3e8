import SystemPackage

/// Walks a local folder.
struct LocalListing {
    /// The folder as the caller wrote it; the paths that are found begin with it.
    let folder: StoragePath
    /// The same as a path of the file system.
    let target: String
    /// Whether links to files count as the files.
    var includesLinks = true
    /// Which names count.
    let isWanted: (_ name: String) -> Bool

    /// Collects the files, in no particular order.
    ///
    /// Links to folders are not followed. Those to files are listed as what they lead to; and as themselves when they
    /// cannot be followed, so reading them says why, and nothing older is silently taken for them.
    func files(recursive: Bool) throws -> [FileInfo] {
        do {
            return try files(in: LocalFolder(path: target), at: folder, recursive)
        } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
            return []
        } catch {
            throw StorageError.local(error, folder.text, "cannot be listed")
        }
    }

    private func files(in folder: LocalFolder, at place: StoragePath, _ recursive: Bool) throws -> [FileInfo] {
        var found: [FileInfo] = []
        for name in try folder.names() {
            // A file that vanished meanwhile is not listed.
            guard let status = try? folder.status(of: name) else { continue }
            let path = place.appending(name)
            switch status.type {
            case .regular where isWanted(name):
                found.append(FileInfo(path: path, status: status))
            case .symbolicLink where includesLinks && isWanted(name):
                if let file = linked(path, status) { found.append(file) }
            case .directory where recursive:
                do {
                    found += try files(in: folder.folder(name, path: path.text), at: path, recursive)
                } catch Errno.noSuchFileOrDirectory, Errno.notDirectory, Errno.tooManySymbolicLinkLevels {
                    continue
                } catch {
                    throw StorageError.local(error, path.text, "cannot be listed")
                }
            default:
                continue
            }
        }
        return found
    }

    private func linked(_ path: StoragePath, _ link: Stat) -> FileInfo? {
        guard let status = try? LocalFile.status(of: path.text) else { return FileInfo(path: path, status: link) }
        return status.type == .regular ? FileInfo(path: path, status: status) : nil
    }
}
