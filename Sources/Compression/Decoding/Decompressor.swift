/// A decompressor of one file, whose chunks are pushed in and whose content is pulled out.
final class Decompressor {
    private enum Phase {
        case detecting(prefix: [UInt8])
        case plain
        case decoding(any FileDecoder, CompressionFormat)
    }

    private let chunkSize: Int
    private var phase = Phase.detecting(prefix: [])
    private var input = CompressedInput()
    private var output: ScratchBuffer?
    private var isFinished = false
    private var isAtBeginning = true

    /// Makes a decompressor.
    ///
    /// - Parameter chunkSize: The size of the chunks that come out, in bytes. No chunk is larger, and in compressed files
    ///   only the last one is smaller.
    init(chunkSize: Int = 256 * 1024) {
        self.chunkSize = chunkSize
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

    /// Notes that the file has no more chunks.
    func finish() throws(CompressionError) {
        isFinished = true
        if case .detecting(let prefix) = phase {
            try begin(with: prefix)
        }
    }

    /// Gives the next chunk of the content, or nil when there is none before the next chunk of the file.
    func next() throws(CompressionError) -> [UInt8]? {
        guard case .decoding(let decoder, let format) = phase, let output else {
            return input.take(upTo: chunkSize)
        }
        try decoder.decode(&input, to: output)
        if output.freeCount > 0 {
            guard isFinished else { return nil }
            try decoder.checkEnd(at: input.offset)
            guard output.count > 0 else { return nil }
        }
        let chunk = output.take()
        try checkBeginning(of: chunk, format: format)
        return chunk
    }

    private func begin(with prefix: [UInt8]) throws(CompressionError) {
        switch try DetectedContent(prefix: prefix[..<min(prefix.count, DetectedContent.prefixSize)]) {
        case .plain: phase = .plain
        case .compressed(let format):
            let decoder: any FileDecoder =
                switch format {
                case .gzip: GzipDecoder()
                case .zstd: try ZstdDecoder()
                }
            phase = .decoding(decoder, format)
            output = ScratchBuffer(capacity: chunkSize)
        }
        input.refill(prefix)
    }

    /// Refuses a file that was compressed twice: its content would be taken for text.
    private func checkBeginning(of chunk: [UInt8], format: CompressionFormat) throws(CompressionError) {
        guard isAtBeginning else { return }
        isAtBeginning = false
        guard let inner = DetectedContent.signature(of: chunk) else { return }
        throw .unsupported(
            "The content of the \(format.rawValue) data is itself in the format \(inner), which is not supported. "
                + "Decompress the file once and use the result.",
            offset: 0
        )
    }
}
