import Glibc
import SystemPackage

/// The file system that a folder is on, or will be on once it is created.
package struct LocalVolume: Sendable, Equatable {
    /// The folder itself, or the nearest above it that exists.
    package let folder: StoragePath
    /// How many bytes this process may still write.
    package let available: Int64
    /// Tells file systems apart: the device that the folder is on (`st_dev` of stat(2)).
    package let device: UInt64
}

extension LocalStorage {
    /// Looks at the file system of a folder.
    /// - Parameter folder: A local path; the folder need not exist yet.
    /// - Returns: How much space it has left.
    /// - Throws: ``StorageError`` or `CancellationError`.
    package func volume(of folder: StoragePath) async throws -> LocalVolume {
        let target = try localPath(folder)
        return try await BlockingWork.run {
            do {
                var nearest = NearestFolders()
                let existing = try nearest.folder(of: target)
                var (space, entry) = (statvfs(), stat())
                try check(statvfs(existing, &space))
                try check(stat(existing, &entry))
                let size = UInt64(space.f_frsize)
                let (bytes, isTooLarge) = UInt64(space.f_bavail).multipliedReportingOverflow(by: size)
                return LocalVolume(
                    folder: .local(existing),
                    available: isTooLarge ? .max : Int64(clamping: bytes),
                    device: UInt64(entry.st_dev)
                )
            } catch {
                throw StorageError.local(error, target, "cannot be looked at", subject: "the folder \(target)")
            }
        }
    }
}
