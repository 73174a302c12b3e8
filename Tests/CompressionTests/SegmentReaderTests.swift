import Testing

@testable import Compression

@Suite("Segments that are read one by one")
struct SegmentReaderTests {
    /// Reads a segment that arrives in pieces.
    private func content(_ bytes: [UInt8], _ format: CompressionFormat, at offset: Int64, pieces: Int) throws -> [UInt8]
    {
        let reader = try SegmentReader(format: format, offset: offset)
        var content: [UInt8] = []
        for piece in bytes.split(into: pieces) { try reader.read(piece) { content += $0 } }
        try reader.finish()
        return content
    }

    @Test("Each gives its own content, however it arrives", arguments: CompressionFormat.allCases)
    func contents(_ format: CompressionFormat) throws {
        let chunks = Samples.salesChunks(count: 40)
        let file = try encode(chunks, as: format, segmentSize: 20_000)
        #expect(file.segments.count > 3)
        for pieces in [1, 1_000, 1 << 20] {
            let parts = try file.segments.map {
                try content(file.bytes(of: $0), format, at: $0.offset, pieces: pieces)
            }
            #expect(parts.map { Int64($0.count) } == file.segments.map(\.uncompressedBytes))
            #expect(parts.flatMap(\.self) == Array(chunks.joined()))
        }
    }

    @Test("Content of many times the size of the output comes in pieces", arguments: CompressionFormat.allCases)
    func large(_ format: CompressionFormat) throws {
        let row = [UInt8](repeating: 97, count: 3_000_000)
        let file = try encode([row], as: format)
        let reader = try SegmentReader(format: format, offset: 0)
        var sizes: [Int] = []
        try reader.read(file.bytes(of: file.segments[0])) { sizes.append($0.count) }
        try reader.finish()
        #expect(sizes.reduce(0, +) == row.count)
        #expect(sizes.allSatisfy { $0 <= 256 * 1024 })
    }

    @Test("Damage is noticed at a position in the file", arguments: CompressionFormat.allCases)
    func positions(_ format: CompressionFormat) throws {
        let file = try encode(Samples.salesChunks(count: 40), as: format, segmentSize: 20_000)
        let segment = file.segments[2]
        var bytes = file.bytes(of: segment)
        bytes[bytes.count / 2] ^= 0x10
        let error = #expect(throws: CompressionError.self) {
            try content(bytes, format, at: segment.offset, pieces: 700)
        }
        #expect(error?.code == .corrupt)
        let range = segment.offset...segment.offset + segment.bytes
        #expect(error?.offset.map(range.contains) == true)
        let cut = #expect(throws: CompressionError.self) {
            try content(Array(file.bytes(of: segment).dropLast(9)), format, at: segment.offset, pieces: 700)
        }
        #expect(cut?.code == .truncated && cut?.offset == segment.offset + segment.bytes - 9)
    }
}
