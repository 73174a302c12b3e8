import Foundation
package import SystemPackage

/// Replaces a file that the user has named in one step: with a file beside it, which is renamed when all of it is on the disk.
package struct FileReplacement: Sendable {
    private let target: FilePath
    private let mode: UInt32?

    /// Describes a replacement.
    ///
    /// - Parameters:
    ///   - target: The file, which need not exist yet.
    ///   - mode: The permissions that it gets, whatever the umask is; nil leaves them to that.
    package init(of target: FilePath, mode: UInt32?) {
        (self.target, self.mode) = (target, mode)
    }

    /// Writes the file; when that fails, nothing has changed.
    ///
    /// - Parameter text: What the file will have.
    /// - Throws: `Errno`.
    package func write(_ text: String) throws {
        // Not with the name in it, which may be as long as names can be.
        let temporary = target.removingLastComponent().appending(".\(UUID().uuidString).tmp")
        let file = try FileDescriptor.open(
            temporary,
            .writeOnly,
            options: [.create, .exclusiveCreate],
            permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
        )
        do {
            try file.closeAfter {
                if let mode, fchmod(file.rawValue, mode) != 0 { throw Errno(rawValue: errno) }
                _ = try file.writeAll(text.utf8)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary.string, target.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }
}
