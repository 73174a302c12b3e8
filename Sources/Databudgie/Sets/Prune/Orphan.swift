public import Foundation
import Storage

/// A file that no set names, or what a run has left that was broken off.
public struct Orphan: Sendable {
    /// What it is.
    @nonexhaustive
    public enum Kind: String, Sendable {
        /// A file that a backup has written, and that no record names.
        case file
        /// The mark of a run that did not come to its end.
        case brokenRun = "broken_run"
        /// A file under a temporary name.
        case temporaryFile = "temporary_file"
        /// A multipart upload to S3 that was neither completed nor aborted.
        case upload
    }

    /// What it is.
    public let kind: Kind
    /// Where it is: the path of the file, or the key that the upload is for.
    public let place: String
    /// How many bytes it has.
    public let size: Int64
    /// When it was last written.
    public let modified: Date

    let content: Content

    enum Content: Sendable {
        case file(StoragePath)
        case write(Leftover)
    }

    init(_ file: FileInfo, _ kind: Kind) {
        (self.kind, place, size, modified) = (kind, file.path.description, file.size, file.modified)
        content = .file(file.path)
    }

    init(_ leftover: Leftover) {
        kind =
            switch leftover.kind {
            case .temporaryFile: .temporaryFile
            case .upload: .upload
            }
        (place, size, modified) = (leftover.place, leftover.size, leftover.modified)
        content = .write(leftover)
    }
}
