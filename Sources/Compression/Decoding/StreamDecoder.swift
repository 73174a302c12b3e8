/// A decoder that decompresses one member or frame after another.
protocol StreamDecoder: AnyObject {
    /// What the file says about itself, as far as it was read.
    var seal: FileSeal { get }

    /// Decompresses as much of the input as fits in the output.
    ///
    /// If there is room in the output afterwards, all input was taken and all of its content is in the output.
    ///
    /// - Parameters:
    ///   - input: The compressed bytes; those that were taken are removed from its beginning.
    ///   - output: Gets the content.
    /// - Throws: An error with any code but `truncated`.
    func decode(_ input: inout CompressedInput, to output: ScratchBuffer) throws(CompressionError)

    /// Checks that a member or frame ends with the bytes that were decoded so far.
    ///
    /// - Parameter offset: The number of those bytes.
    /// - Throws: An error with code `truncated`.
    func checkEnd(at offset: Int64) throws(CompressionError)
}
