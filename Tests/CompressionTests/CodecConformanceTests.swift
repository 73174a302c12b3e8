import Testing

@testable import Compression

/// What every format promises; a new one is tested by being a case of `CompressionFormat`.
@Suite("Every format")
struct CodecConformanceTests {
    static let formats: [CompressionFormat?] = CompressionFormat.allCases + [nil]
    static let compressed = CompressionFormat.allCases

    @Test(
        "Every format gives back what was put in",
        arguments: formats,
        [0, 1, 2, 511, 512, 513, 65_535, 65_536, 262_144, 262_145]
    )
    func roundTrip(format: CompressionFormat?, size: Int) throws {
        for content in [Samples.noise(count: size), [UInt8](repeating: 97, count: size)] {
            let file = try encode([content], as: format)
            #expect(try decode(file.bytes) == content)
        }
    }

    @Test("Every format gives back 64 MiB in segments of 16 MiB", arguments: formats)
    func largeRoundTrip(format: CompressionFormat?) throws {
        let rows = Array(Samples.salesChunks(count: 1, rowsPerChunk: 12_000).joined().prefix(256 * 1024))
        let writer = try SegmentWriter(format: format)
        let reader = ContentReader()
        var count = 0
        for number in 0...256 {
            try reader.push(number < 256 ? writer.append(rows, rows: 1).bytes : writer.finish().flatMap(\.bytes))
            if number == 256 { try reader.finish() }
            while let piece = try reader.next() {
                #expect(piece == rows)
                count += 1
            }
        }
        #expect(count == 256)
        let size: Int64 = 16 * 1024 * 1024
        let totals = format == nil ? [] : [0]
        #expect(writer.segments.map(\.uncompressedBytes) == [size, size, size, size] + totals.map { Int64($0) })
        #expect(writer.segments.map(\.rows) == [64, 64, 64, 64] + totals)
    }

    @Test("A segment ends at the first append that reaches the segment size", arguments: formats)
    func segmentEnds(format: CompressionFormat?) throws {
        let chunks = [10, 89, 1, 100, 101, 250, 99, 1, 5].map { [UInt8](repeating: 10, count: $0) }
        let file = try encode(chunks, as: format, segmentSize: 100)
        let totals = format == nil ? [] : [0]
        #expect(file.segments.map(\.uncompressedBytes) == [100, 100, 101, 250, 100, 5] + totals.map { Int64($0) })
        #expect(file.segments.map(\.rows) == [100, 100, 101, 250, 100, 5] + totals)
    }

    @Test("Segments follow each other without gaps, each readable alone and made of whole rows", arguments: formats)
    func segmentsStandAlone(format: CompressionFormat?) throws {
        let chunks = Samples.salesChunks(count: 40)
        let file = try encode(chunks, as: format, segmentSize: 20_000)
        #expect(file.segments.count > 3)
        var offset: Int64 = 0
        var content: [UInt8] = []
        for (number, segment) in file.segments.enumerated() {
            #expect(segment.offset == offset)
            offset += segment.bytes
            let rows = try decode(file.bytes(of: segment), isWholeFile: false)
            #expect(rows.count == Int(segment.uncompressedBytes))
            #expect(rows.count { $0 == UInt8(ascii: "\n") } == segment.rows)
            let hasTotals = format != nil && number == file.segments.count - 1
            #expect(rows.last == (hasTotals ? nil : UInt8(ascii: "\n")))
            content += rows
        }
        #expect(offset == Int64(file.bytes.count))
        #expect(content == Array(chunks.joined()))
    }

    @Test("The bytes of each segment can be told apart as they are written", arguments: formats)
    func endedSegments(format: CompressionFormat?) throws {
        let chunks = Samples.salesChunks(count: 40)
        let writer = try SegmentWriter(format: format, segmentSize: 20_000)
        var file: [UInt8] = []
        var pieces: [[UInt8]] = []
        var ended: [Segment] = []
        var current: [UInt8] = []
        for number in 0...chunks.count {
            for encoded in try number < chunks.count ? [writer.append(chunks[number], rows: 100)] : writer.finish() {
                file += encoded.bytes
                current += encoded.bytes
                guard let segment = encoded.endedSegment else { continue }
                ended.append(segment)
                pieces.append(current)
                current = []
            }
            #expect(writer.segments == ended)
        }
        #expect(current.isEmpty)
        #expect(ended.count > 3)
        #expect(file == (try encode(chunks, as: format, segmentSize: 20_000)).bytes)
        let whole = EncodedFile(bytes: file, segments: ended)
        #expect(pieces == ended.map(whole.bytes(of:)))
        #expect(try pieces.flatMap { try decode($0, isWholeFile: false) } == Array(chunks.joined()))
    }

    @Test(
        "A segment that ends exactly with the rows is reported once, and by the end of the file only the totals",
        arguments: formats
    )
    func endedByRows(format: CompressionFormat?) throws {
        let writer = try SegmentWriter(format: format, segmentSize: 100)
        let encoded = try writer.append([UInt8](repeating: 10, count: 100), rows: 100)
        #expect(encoded.endedSegment?.rows == 100)
        #expect(encoded.endedSegment?.bytes == Int64(encoded.bytes.count))
        let last = try writer.finish()
        #expect(last.map(\.endedSegment?.rows) == (format == nil ? [] : [0]))
        #expect(last.map(\.endedSegment?.offset) == (format == nil ? [] : [Int64(encoded.bytes.count)]))
        #expect(try writer.finish() == [])
    }

    @Test("A file without content is valid", arguments: compressed)
    func emptyFile(format: CompressionFormat) throws {
        let file = try encode([], as: format)
        #expect(!file.bytes.isEmpty)
        #expect(file.segments.map(\.rows) == [0, 0])
        #expect(file.segments.map(\.uncompressedBytes) == [0, 0])
        #expect(file.segments[0].offset == 0)
        #expect(file.segments[1].offset == file.segments[0].bytes)
        #expect(file.segments[1].offset + file.segments[1].bytes == Int64(file.bytes.count))
        #expect(try decode(file.bytes) == [])
    }

    @Test("No empty segment but the totals follows content that fills its last one", arguments: formats)
    func noEmptySegment(format: CompressionFormat?) throws {
        let file = try encode([[UInt8](repeating: 10, count: 100)], as: format, segmentSize: 100)
        #expect(file.segments.count == (format == nil ? 1 : 2))
        #expect(Int64(file.bytes.count) == file.segments.map(\.bytes).reduce(0, +))
    }

    @Test("Rows without bytes are counted", arguments: formats)
    func rowsWithoutBytes(format: CompressionFormat?) throws {
        let writer = try SegmentWriter(format: format)
        _ = try writer.append([], rows: 3)
        let last = try writer.finish()
        #expect(last.map(\.endedSegment) == writer.segments)
        #expect(writer.segments.map(\.rows) == (format == nil ? [3] : [3, 0]))
        #expect(try writer.finish() == [])
    }

    @Test("The same input gives the same bytes, in every segment and with any buffer", arguments: compressed)
    func deterministic(format: CompressionFormat) throws {
        let chunks = Samples.salesChunks(count: 30)
        let once = try encode(chunks, as: format, segmentSize: 1)
        #expect(try encode(chunks, as: format, segmentSize: 1).bytes == once.bytes)
        for (number, (chunk, segment)) in zip(chunks, once.segments).enumerated() {
            let alone = try encode([chunk], as: format, segmentSize: 1)
            let expected =
                try number == 0 ? alone.bytes(of: alone.segments[0]) : encodeBare([chunk], as: format, segmentSize: 1)
            #expect(expected == once.bytes(of: segment))
        }
        #expect(try decode(encode(chunks, as: format, scratchSize: 32).bytes) == Array(chunks.joined()))
    }

    @Test("A file is read the same in pieces of any size", arguments: compressed, [1, 2, 3, 7, 61, 1000])
    func chunkingIndependence(format: CompressionFormat, size: Int) throws {
        let chunks = Samples.salesChunks(count: 10) + [Samples.noise(count: 3000)]
        let file = try encode(chunks, as: format, segmentSize: 9000)
        #expect(try decode(file.bytes, inputSize: size) == Array(chunks.joined()))
        #expect(try decode(file.bytes, inputSize: size, outputSize: size) == Array(chunks.joined()))
    }

    @Test("A file that ends early is refused, wherever that is, and also between segments", arguments: compressed)
    func truncation(format: CompressionFormat) throws {
        let chunks = Samples.salesChunks(count: 2, rowsPerChunk: 8)
        let file = try encode(chunks, as: format, segmentSize: 1)
        #expect(file.segments.count == 3)
        for length in 1..<file.bytes.count {
            for inputSize in [1, 1000] {
                let error = decodingError(Array(file.bytes[..<length]), inputSize: inputSize)
                #expect(error?.code == .truncated, "after \(length) bytes")
                #expect(error?.offset == Int64(length))
            }
        }
    }

    @Test("A wrong bit never gives wrong content", arguments: compressed)
    func flippedBits(format: CompressionFormat) throws {
        let chunks = Samples.salesChunks(count: 2, rowsPerChunk: 10) + [Samples.noise(count: 100)]
        let content = Array(chunks.joined())
        let file = try encode(chunks, as: format, segmentSize: 300)
        var harmless = 0
        for position in file.bytes.indices {
            for bit in 0..<8 {
                var damaged = file.bytes
                damaged[position] ^= 1 << bit
                guard decodingError(damaged) == nil else { continue }
                #expect(try decode(damaged) == content, "bit \(bit) of byte \(position)")
                harmless += 1
            }
        }
        // Time, flags and system in a gzip header, the window's size in a zstd header say nothing about the content.
        #expect(harmless <= file.segments.count * 8 * 8)
    }

    @Test("Damage of any kind gives neither wrong content nor a crash", arguments: compressed)
    func randomDamage(format: CompressionFormat) throws {
        let content = Array(Samples.salesChunks(count: 3).joined())
        let file = try encode([content], as: format).bytes
        var random = SeededGenerator(state: 3)
        for _ in 0..<10_000 {
            var damaged = file
            let position = Int.random(in: 0..<file.count, using: &random)
            let length = Int.random(in: 1...min(40, file.count - position), using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: damaged.removeSubrange(position..<position + length)
            case 2: damaged.replaceSubrange(position..<position + length, with: Samples.noise(count: 2 * length))
            default: damaged.replaceSubrange(position..., with: [UInt8](repeating: 0, count: file.count - position))
            }
            let inputSize = Int.random(in: 1...200, using: &random)
            guard decodingError(damaged, inputSize: inputSize) == nil else { continue }
            let result = try decode(damaged, inputSize: inputSize)
            // Where its very first bytes are gone, nothing tells that the file was compressed.
            #expect(result == content || (result == damaged && position < 4), "at byte \(position)")
        }
    }

    @Test("A gigabyte of zeros comes out in small pieces, as they are asked for", arguments: compressed)
    func bomb(format: CompressionFormat) throws {
        let writer = try SegmentWriter(format: format, segmentSize: .max)
        let zeros = [UInt8](repeating: 0, count: 1024 * 1024)
        var bytes: [UInt8] = []
        for _ in 0..<1024 { bytes += try writer.append(zeros, rows: 0).bytes }
        bytes += try writer.finish().flatMap(\.bytes)
        let reader = ContentReader()
        try reader.push(bytes)
        var count = 0
        while let piece = try reader.next() {
            guard piece.count <= 256 * 1024 else { break }
            count += piece.count
        }
        try reader.finish()
        while let piece = try reader.next() { count += piece.count }
        #expect(count == 1024 * 1024 * 1024)
    }
}
