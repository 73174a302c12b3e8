public import struct FoundationEssentials.Date

/// What a storage knows about one file without reading it.
public struct FileInfo: Sendable, Hashable {
    /// The file.
    public var path: StoragePath
    /// The file's length in bytes.
    public var size: Int64
    /// When the file was last written; S3 reports it to the second.
    public var modified: Date
    /// Distinguishes one content from another under the same path: the ETag on S3, inode and modification time on a disk.
    public var version: String?

    /// Describes a file.
    /// - Parameters:
    ///   - path: The file.
    ///   - size: The file's length in bytes.
    ///   - modified: When the file was last written.
    ///   - version: What distinguishes this content from another under the same path, if known.
    public init(path: StoragePath, size: Int64, modified: Date, version: String?) {
        self.path = path
        self.size = size
        self.modified = modified
        self.version = version
    }
}

/// What a write does when its path already exists.
public enum ExistingFile: Sendable {
    /// The new file replaces the old one in one step.
    case replace
    /// The write fails with code `alreadyExists`, and the old file stays as it is.
    case fail
}
