/// A codec that decompresses one member or frame after another.
protocol FileDecoder: AnyObject {
    /// Decompresses as much of the input as fits in the output.
    ///
    /// Where there is room in the output afterwards, all input was taken and everything that it holds was given out.
    ///
    /// - Parameters:
    ///   - input: The compressed bytes; those that were taken are removed from its beginning.
    ///   - output: Gets the content.
    /// - Throws: An error with any code but `truncated`.
    func decode(_ input: inout CompressedInput, to output: ScratchBuffer) throws(CompressionError)

    /// Checks that the file may end after the bytes that were decoded so far.
    ///
    /// - Parameter offset: The number of those bytes.
    /// - Throws: An error with code `truncated`.
    func checkEnd(at offset: Int64) throws(CompressionError)
}
