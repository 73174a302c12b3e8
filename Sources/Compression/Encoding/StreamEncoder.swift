/// An encoder that compresses one segment after another, the first of which announces the totals.
protocol StreamEncoder: AnyObject {
    /// Compresses some bytes of the current segment.
    ///
    /// - Parameters:
    ///   - input: The bytes that follow those of the previous calls.
    ///   - endsSegment: Whether the segment ends with these bytes; the next call then begins a new one.
    ///   - output: Gets the compressed bytes that are ready. The encoder may hold back others until the segment ends, but
    ///     none beyond that.
    /// - Throws: An error with code `libraryFailure`.
    func encode(_ input: [UInt8], endsSegment: Bool, to output: inout [UInt8]) throws(CompressionError)

    /// The last segment of a file, which has no content.
    static func lastSegment(_ totals: FileTotals) -> [UInt8]
}
