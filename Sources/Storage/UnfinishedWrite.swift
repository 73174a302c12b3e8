public import struct FoundationEssentials.Date

/// What a write has left that was broken off: a temporary file, or a multipart upload that was neither completed nor
/// aborted.
///
/// A write that fails or is cancelled leaves nothing; one whose process was killed, or whose machine went down, does.
public struct UnfinishedWrite: Sendable, Hashable {
    /// What the file would have been called; on a disk the temporary file has another name, in the same folder.
    public var path: StoragePath
    /// When the write was last seen to make progress.
    public var modified: Date
    /// How many bytes it has written so far.
    public var size: Int64
    /// Tells it from other writes of the same path: the name of the temporary file, or the id of the upload.
    public var id: String

    /// Describes an unfinished write.
    /// - Parameters:
    ///   - path: What the file would have been called.
    ///   - modified: When the write was last seen to make progress.
    ///   - size: How many bytes it has written so far.
    ///   - id: The name of the temporary file, or the id of the upload.
    public init(path: StoragePath, modified: Date, size: Int64, id: String) {
        self.path = path
        self.modified = modified
        self.size = size
        self.id = id
    }
}
