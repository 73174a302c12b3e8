/// A failure to compress or decompress data.
///
/// The module does not know the path of the file; whoever reports the error names it.
public struct CompressionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of a failure; more kinds may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name.
        public let description: String

        /// The data ends before it is complete.
        public static let truncated = Code(description: "truncated")
        /// The data was changed after it was compressed.
        public static let corrupt = Code(description: "corrupt")
        /// The data goes on after the end of its last member or frame.
        public static let trailingData = Code(description: "trailingData")
        /// The data is in a format, or uses a feature of one, that is not supported.
        public static let unsupported = Code(description: "unsupported")
        /// The compression library itself failed, for want of memory for example.
        public static let libraryFailure = Code(description: "libraryFailure")
    }

    /// The kind of the failure.
    public let code: Code
    /// The failure in full sentences, ending with what to do.
    public let message: String
    /// The position in the compressed data at which the failure was noticed, in bytes; nil where there is none.
    public let offset: Int64?

    /// The message.
    public var description: String { message }
}

extension CompressionError {
    static func truncated(_ format: String, unit: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .truncated,
            message: "The \(format) data ends after \(offset) bytes, in the middle of a \(unit): it is incomplete. "
                + "Copy the file again from its source, or use another backup.",
            offset: offset
        )
    }

    static func corrupt(_ format: String, reason: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .corrupt,
            message: "The \(format) data is corrupt, noticed at byte \(offset): \(reason). "
                + "Copy the file again from its source, or use another backup.",
            offset: offset
        )
    }

    static func trailingData(_ format: String, unit: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .trailingData,
            message: "The \(format) data ends at byte \(offset), but the file goes on with something that is not a "
                + "\(unit). Remove what follows it if it does not belong there, or use another backup.",
            offset: offset
        )
    }

    static func unsupported(_ message: String, offset: Int64? = nil) -> CompressionError {
        CompressionError(code: .unsupported, message: message, offset: offset)
    }

    static func libraryFailure(_ message: String) -> CompressionError {
        CompressionError(code: .libraryFailure, message: message, offset: nil)
    }
}
