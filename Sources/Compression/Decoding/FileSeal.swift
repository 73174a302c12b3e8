/// Compares a file with what it says about itself, while it is read.
struct FileSeal {
    private let format: CompressionFormat
    private let isWholeFile: Bool
    private var isFirst = true

    /// Whether the file's beginning says that its end has the totals.
    private(set) var isAnnounced = false
    /// What the end of the file says; nil until it was read.
    private(set) var totals: FileTotals?

    /// Expects a file.
    ///
    /// - Parameters:
    ///   - format: The format of the file.
    ///   - isWholeFile: False for segments of a file, whose marks prove nothing.
    init(_ format: CompressionFormat, isWholeFile: Bool) {
        self.format = format
        self.isWholeFile = isWholeFile
    }

    /// Notes that a member or frame begins.
    ///
    /// - Parameters:
    ///   - mark: Its mark; nil if it has none.
    ///   - offset: The position in the file, in bytes.
    /// - Throws: An error with code `trailingData` or `corrupt`.
    mutating func begin(_ mark: FileMark?, at offset: Int64) throws(CompressionError) {
        guard isWholeFile else { return }
        guard totals == nil else { throw .continuesAfterTotals(format.rawValue, offset: offset) }
        switch mark {
        case .announcement:
            guard isFirst else {
                throw .corrupt(format.rawValue, reason: "another file begins in the middle of it", offset: offset)
            }
            isAnnounced = true
        case .totals(let read):
            guard isAnnounced else {
                throw .corrupt(format.rawValue, reason: "its beginning is missing", offset: offset)
            }
            totals = read
        case nil: break
        }
        isFirst = false
    }

    /// Checks that the file may end here.
    ///
    /// - Parameters:
    ///   - offset: The number of its bytes.
    ///   - contentBytes: The number of bytes of its content.
    /// - Throws: An error with code `truncated` or `corrupt`.
    func checkEnd(at offset: Int64, contentBytes: Int64) throws(CompressionError) {
        guard isAnnounced else { return }
        guard let totals else { throw .endsBeforeTotals(format.rawValue, offset: offset) }
        guard totals.bytes == contentBytes else {
            throw .corrupt(
                format.rawValue,
                reason: "it has \(contentBytes) bytes of content, and its end says \(totals.bytes)",
                offset: offset
            )
        }
    }
}
