import CFuzz
import CZstd

@testable import Compression

/// The decoders, compared with zlib and with libzstd as it is.
enum CompressionTargets {
    private static let mostContent = 1 << 20

    static func gzip(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let (size, outputSize) = (input.size(upTo: 200), input.size(upTo: 256) * 16)
        // Without its signature it is not gzip.
        let file = [0x1F, 0x8B] + input.rest
        let reference = ReferenceGzip.decode(file, limit: mostContent)
        compare(decode(file, size, outputSize), with: reference)
    }

    static func zstd(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let (size, outputSize) = (input.size(upTo: 200), input.size(upTo: 256) * 16)
        let file = (input.byte() & 1 == 0 ? [0x28, 0xB5, 0x2F, 0xFD] : []) + input.rest
        guard case .compressed(.zstd)? = try? DetectedContent(prefix: file.prefix(DetectedContent.prefixSize)) else {
            return
        }
        compare(decode(file, size, outputSize), with: referenceZstd(file))
    }

    /// What is written is read, and nothing but the whole of it.
    static func segments(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let format = CompressionFormat.allCases[Int(input.byte()) % CompressionFormat.allCases.count]
        let (segmentSize, pieceSize, inputSize) = (input.size(upTo: 256), input.size(upTo: 256), input.size(upTo: 256))
        let cut = Int(input.byte()) << 8 | Int(input.byte())
        guard let writer = try? SegmentWriter(format: format, segmentSize: Int64(segmentSize), scratchSize: 64) else {
            return
        }
        var file: [UInt8] = []
        for piece in input.pieces(pieceSize) {
            guard let encoded = try? writer.append(piece, rows: 1) else { fail("cannot be written") }
            file += encoded.bytes
        }
        guard let last = try? writer.finish() else { fail("cannot be ended") }
        file += last.flatMap(\.bytes)
        let content = Array(input.rest)
        // What is compressed twice is refused.
        guard DetectedContent.signature(of: content) == nil else { return }
        guard case .success(let decoded) = decode(file, inputSize, 4096) else { fail("cannot be read") }
        expect(decoded == content, "other content is read")
        guard cut % file.count > 3 else { return }
        if case .success = decode(Array(file.prefix(cut % file.count)), inputSize, 4096) {
            fail("a file that was cut off is read")
        }
    }

    private enum Outcome {
        case content([UInt8])
        case failure
        /// More content than is compared.
        case tooMuch
    }

    private static func compare(_ ours: Result<[UInt8], CompressionError>, with reference: Outcome) {
        switch (ours, reference) {
        case (_, .tooMuch), (.failure, .failure): return
        case (.success(let content), .content(let expected)):
            expect(content == expected, "\(content.count) bytes of content, not \(expected.count)")
        case (.success(let content), .failure):
            expect(content.count > mostContent, "content is read from a damaged file")
        case (.failure(let error), .content):
            // What files say about themselves, or what is inside, is nothing to the others.
            let reasons = ["totals", "mark", "beginning is missing", "another file begins", "is itself in the format"]
            expect(reasons.contains { error.message.contains($0) }, "a good file is refused: \(error.message)")
        }
    }

    private static func decode(_ file: [UInt8], _ inputSize: Int, _ outputSize: Int) -> Result<
        [UInt8], CompressionError
    > {
        let reader = ContentReader(chunkSize: outputSize)
        var content: [UInt8] = []
        func pull() throws(CompressionError) {
            while let piece = try reader.next() {
                expect(!piece.isEmpty && piece.count <= outputSize, "a piece of \(piece.count) bytes")
                content += piece
                if content.count > mostContent { return }
            }
        }
        do throws(CompressionError) {
            for start in stride(from: 0, to: file.count, by: inputSize) {
                try reader.push(Array(file[start..<min(start + inputSize, file.count)]))
                try pull()
                if content.count > mostContent { return .success(content) }
            }
            try reader.finish()
            try pull()
            return .success(content)
        } catch {
            return .failure(error)
        }
    }

    private static func referenceZstd(_ file: [UInt8]) -> Outcome {
        guard let context = ZSTD_createDCtx() else { return .tooMuch }
        defer { ZSTD_freeDCtx(context) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        return file.withUnsafeBytes { bytes in
            var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var status = 0
            var isFull = false
            repeat {
                let count = buffer.withUnsafeMutableBytes { free in
                    var destination = ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                    status = ZSTD_decompressStream(context, &destination, &source)
                    return destination.pos
                }
                guard ZSTD_isError(status) == 0 else { return .failure }
                content += buffer.prefix(count)
                isFull = count == buffer.count
                guard content.count <= mostContent else { return .tooMuch }
            } while source.pos < source.size || (status != 0 && isFull)
            return status == 0 ? .content(content) : .failure
        }
    }

    /// Gzip members by zlib, one after another, and zeros after the last.
    private enum ReferenceGzip {
        static func decode(_ file: [UInt8], limit: Int) -> Outcome {
            var rest = file[...]
            var content: [UInt8] = []
            while rest.first == 0x1F {
                guard let (member, size) = member(Array(rest), limit: limit) else { return .failure }
                content += member
                guard content.count <= limit else { return .tooMuch }
                rest = rest.dropFirst(size)
            }
            return rest.allSatisfy { $0 == 0 } ? .content(content) : .failure
        }

        private static func member(_ bytes: [UInt8], limit: Int) -> (content: [UInt8], size: Int)? {
            var stream = z_stream()
            guard inflate_init_gzip(&stream) == Z_OK else { return nil }
            defer { inflateEnd(&stream) }
            var input = bytes
            var content: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            return input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                var status = Z_OK
                repeat {
                    let count = buffer.withUnsafeMutableBufferPointer { free in
                        stream.next_out = free.baseAddress
                        stream.avail_out = UInt32(free.count)
                        status = inflate(&stream, Z_NO_FLUSH)
                        return free.count - Int(stream.avail_out)
                    }
                    content += buffer.prefix(count)
                    guard content.count <= limit else { return (content, source.count) }
                } while status == Z_OK
                return status == Z_STREAM_END ? (content, source.count - Int(stream.avail_in)) : nil
            }
        }
    }
}
