/// A failure to compress or decompress data.
///
/// The module does not know the path of the file: code that reports the error names it.
public struct CompressionError: Error, Sendable, Equatable {
    /// The kind of a failure; more kinds may be added, so a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name.
        public let description: String

        init(_ name: String) {
            description = name
        }

        /// The data ends before it is complete.
        public static let truncated = Code("truncated")
        /// The data was changed after it was compressed.
        public static let corrupt = Code("corrupt")
        /// The end of the last member or frame is followed by something else.
        public static let trailingData = Code("trailingData")
        /// The data is in a format that is not supported, or uses a feature that is not supported.
        public static let unsupported = Code("unsupported")
        /// The compression library itself failed, for example because there is not enough memory.
        public static let libraryFailure = Code("libraryFailure")
    }

    /// The kind of the failure.
    public let code: Code
    /// What happened.
    public let message: String
    /// What to do about it; nil if there is nothing useful to say.
    public let hint: String?
    /// The position in the compressed data at which the failure was noticed, in bytes; nil if it has none.
    public let offset: Int64?
}

extension CompressionError: CustomStringConvertible {
    /// The message and the hint, as one line.
    public var description: String {
        hint.map { "\(message); \($0)" } ?? message
    }
}

extension CompressionError {
    static let copyAgain = "copy the file again from its source, or use another backup"

    static func truncated(_ format: String, unit: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .truncated,
            message: "the \(format) data is incomplete: it ends in the middle of a \(unit), after \(offset) bytes",
            hint: copyAgain,
            offset: offset
        )
    }

    static func corrupt(_ format: String, reason: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .corrupt,
            message: "the \(format) data is corrupt, noticed at byte \(offset): \(reason)",
            hint: copyAgain,
            offset: offset
        )
    }

    static func trailingData(_ format: String, unit: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .trailingData,
            message: "the \(format) data ends at byte \(offset), but is followed by something that is not a \(unit)",
            hint: "remove what follows it if it does not belong there, or use another backup",
            offset: offset
        )
    }

    static func endsBeforeTotals(_ format: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .truncated,
            message: """
                the \(format) data is incomplete: its beginning announces that totals are at its end, but it ends without \
                them, after \(offset) bytes
                """,
            hint: copyAgain,
            offset: offset
        )
    }

    static func continuesAfterTotals(_ format: String, offset: Int64) -> CompressionError {
        CompressionError(
            code: .trailingData,
            message: "the \(format) data has reached its totals at byte \(offset), but continues",
            hint:
                "use the file as it was written; to join files, decompress them and drop the headers of all but the first",
            offset: offset
        )
    }

    static func unsupported(_ message: String, hint: String, offset: Int64) -> CompressionError {
        CompressionError(code: .unsupported, message: message, hint: hint, offset: offset)
    }

    static func libraryFailure(_ message: String, hint: String) -> CompressionError {
        CompressionError(code: .libraryFailure, message: message, hint: hint, offset: nil)
    }

    static func outOfMemory(_ activity: String) -> CompressionError {
        libraryFailure("there is not enough memory to \(activity)", hint: "free some memory and try again")
    }
}
