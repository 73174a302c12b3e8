/// A codec that compresses one segment after another.
protocol SegmentCompressor: AnyObject {
    /// Compresses some bytes of the current segment.
    ///
    /// - Parameters:
    ///   - input: The bytes that follow those of the calls before.
    ///   - endsSegment: Whether the segment ends with these bytes; the next call then begins a new one.
    ///   - output: Gets the compressed bytes that are ready; the codec may hold others back until the segment ends.
    /// - Throws: An error with code `libraryFailure`.
    func compress(_ input: [UInt8], endsSegment: Bool, to output: inout [UInt8]) throws(CompressionError)
}
