/// Reads the content of one file: the file's chunks are pushed in, chunks of its content are pulled out.
final class ContentReader {
    private enum Phase {
        case detecting(prefix: [UInt8])
        case plain
        case decoding(any StreamDecoder, CompressionFormat)
    }

    private let chunkSize: Int
    private let isWholeFile: Bool
    private var phase = Phase.detecting(prefix: [])
    private var input = CompressedInput()
    private var output: ScratchBuffer?
    private var isFinished = false
    private var isAtBeginning = true
    /// The number of bytes of the content that were returned.
    private var returnedBytes: Int64 = 0

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - chunkSize: The size of the chunks that come out, in bytes. No chunk is larger, and in compressed files only the
    ///     last one is smaller.
    ///   - isWholeFile: False for segments of a file, which are read without its totals.
    init(chunkSize: Int = 256 * 1024, isWholeFile: Bool = true) {
        self.chunkSize = chunkSize
        self.isWholeFile = isWholeFile
    }

    /// Whether the file's beginning, as far as it was read, announces totals at its end.
    var announcesTotals: Bool { decoder?.seal.isAnnounced ?? false }

    /// What the file holds, once its end was read; nil if it does not say.
    var totals: FileTotals? { decoder?.seal.totals }

    private var decoder: (any StreamDecoder)? {
        if case .decoding(let decoder, _) = phase { decoder } else { nil }
    }

    /// Takes the next chunk of the file, once `next()` has returned nil.
    func push(_ chunk: [UInt8]) throws(CompressionError) {
        guard case .detecting(var prefix) = phase else { return input.refill(chunk) }
        prefix.append(contentsOf: chunk)
        phase = .detecting(prefix: prefix)
        if prefix.count >= DetectedContent.prefixSize {
            try begin(with: prefix)
        }
    }

    /// Records that the file has no more chunks.
    func finish() throws(CompressionError) {
        isFinished = true
        if case .detecting(let prefix) = phase {
            try begin(with: prefix)
        }
    }

    /// Returns the next chunk of the content; nil if more of the file is needed first, or at its end.
    func next() throws(CompressionError) -> [UInt8]? {
        guard case .decoding(let decoder, let format) = phase, let output else {
            return input.take(upTo: chunkSize)
        }
        try decoder.decode(&input, to: output)
        if output.freeCount > 0 {
            guard isFinished else { return nil }
            try decoder.checkEnd(at: input.offset)
            try decoder.seal.checkEnd(at: input.offset, contentBytes: returnedBytes + Int64(output.count))
            guard output.count > 0 else { return nil }
        }
        let chunk = output.take()
        returnedBytes += Int64(chunk.count)
        try checkBeginning(of: chunk, format: format)
        return chunk
    }

    private func begin(with prefix: [UInt8]) throws(CompressionError) {
        switch try DetectedContent(prefix: prefix[..<min(prefix.count, DetectedContent.prefixSize)]) {
        case .plain: phase = .plain
        case .compressed(let format):
            let decoder: any StreamDecoder =
                switch format {
                case .gzip: GzipDecoder(seal: FileSeal(.gzip, isWholeFile: isWholeFile))
                case .zstd: try ZstdDecoder(seal: FileSeal(.zstd, isWholeFile: isWholeFile))
                }
            phase = .decoding(decoder, format)
            output = ScratchBuffer(capacity: chunkSize)
        }
        input.refill(prefix)
    }

    /// Refuses a file that was compressed twice: its content would be read as text.
    private func checkBeginning(of chunk: [UInt8], format: CompressionFormat) throws(CompressionError) {
        guard isAtBeginning else { return }
        isAtBeginning = false
        guard let inner = DetectedContent.signature(of: chunk) else { return }
        throw .unsupported(
            "the content of the \(format.rawValue) data is itself in the format \(inner), which is not supported",
            hint: "decompress the file once and use the result",
            offset: 0
        )
    }
}
