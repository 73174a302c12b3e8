/// Decompresses one segment of a data file, without the rest of the file.
///
/// The segment's compressed bytes are pushed in, its content comes out. All checksums and sizes in the segment are verified;
/// what it says about the whole file is not. Memory stays below a megabyte, plus the window of zstd frames.
/// Calls block until they have decompressed their bytes: make them from `@concurrent` functions.
public final class SegmentReader {
    private let decoder: any StreamDecoder
    private var input: CompressedInput
    private let output = ScratchBuffer(capacity: 256 * 1024)

    /// Begins to read a segment.
    ///
    /// - Parameters:
    ///   - format: The format of the file.
    ///   - offset: The position of the segment's first byte in the file, in bytes: positions in errors are those in the file.
    /// - Throws: An error with code `libraryFailure` if there is not enough memory.
    public init(format: CompressionFormat, offset: Int64) throws(CompressionError) {
        let seal = FileSeal(format, isWholeFile: false)
        decoder =
            switch format {
            case .gzip: GzipDecoder(seal: seal)
            case .zstd: try ZstdDecoder(seal: seal)
            }
        input = CompressedInput(offset: offset)
    }

    /// Decompresses the next bytes of the segment.
    ///
    /// - Parameters:
    ///   - chunk: The bytes.
    ///   - body: Gets their content, in pieces of at most 256 KiB.
    /// - Throws: An error with any code but `truncated`; the reader cannot be used afterwards.
    public func read(_ chunk: [UInt8], _ body: ([UInt8]) -> Void) throws(CompressionError) {
        input.refill(chunk)
        var isFull = true
        while isFull {
            try decoder.decode(&input, to: output)
            isFull = output.freeCount == 0
            if output.count > 0 { body(output.take()) }
        }
    }

    /// Checks that the segment ends with the bytes that were read.
    ///
    /// - Throws: An error with code `truncated`.
    public func finish() throws(CompressionError) {
        try decoder.checkEnd(at: input.offset)
    }
}
