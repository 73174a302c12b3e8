public import Foundation
import Storage

/// What a backup has left that was broken off.
public struct Leftover: Sendable, Hashable {
    /// What it is.
    public enum Kind: Sendable {
        /// A file under a temporary name.
        case temporaryFile
        /// A multipart upload to S3 that was neither completed nor aborted.
        case upload
    }

    /// What it is.
    public var kind: Kind {
        switch write.path {
        case .local: .temporaryFile
        case .s3: .upload
        }
    }
    /// Where it is: the path of the temporary file, or the key that the upload is for.
    public var place: String {
        switch kind {
        case .temporaryFile: (write.path.parent ?? .local(".")).appending(write.id).description
        case .upload: write.path.description
        }
    }
    /// How many bytes were written.
    public var size: Int64 { write.size }
    /// When it was last seen to make progress.
    public var modified: Date { write.modified }

    let write: UnfinishedWrite
}
