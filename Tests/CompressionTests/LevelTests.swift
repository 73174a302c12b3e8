import Testing

@testable import Compression

@Suite("Levels of compression")
struct LevelTests {
    private static let levels = CompressionFormat.allCases.flatMap { format in format.levels.map { (format, $0) } }

    @Test("Every level gives back what was put in, and other tools read it", arguments: levels)
    func roundTrip(format: CompressionFormat, level: Int) async throws {
        let chunks = Samples.salesChunks(count: 8)
        let content = Array(chunks.joined())
        let file = try encode(chunks, as: format, level: level, segmentSize: 5_000)
        #expect(file.segments.count > 2)
        #expect(try decode(file.bytes) == content)
        let tool = format == .gzip ? "gzip -dc" : "zstd -dc"
        #expect(try await Tool(tool).run(on: file.bytes) == content)
    }

    @Test("The lowest and the highest level write different bytes, and zstd's highest fewer")
    func sizes() throws {
        let chunks = Samples.salesChunks(count: 200)
        for format in CompressionFormat.allCases {
            let low = try encode(chunks, as: format, level: format.levels.lowerBound).bytes
            let high = try encode(chunks, as: format, level: format.levels.upperBound).bytes
            #expect(low != high)
            // ISA-L's levels differ by less than the data does.
            if format == .zstd { #expect(high.count < low.count) }
        }
    }

    @Test("Without a level the standard one is used", arguments: [(CompressionFormat.gzip, 3), (.zstd, 1)])
    func standard(format: CompressionFormat, level: Int) throws {
        #expect(format.standardLevel == level)
        let chunks = Samples.salesChunks(count: 8)
        #expect(try encode(chunks, as: format).bytes == encode(chunks, as: format, level: level).bytes)
    }

    @Test("A level that a format does not have is refused", arguments: CompressionFormat.allCases)
    func unknown(format: CompressionFormat) {
        for level in [-1, 0, format.levels.upperBound + 1, Int.max] {
            let error = #expect(throws: CompressionError.self) { try SegmentWriter(format: format, level: level) }
            #expect(error?.code == .unsupported)
            #expect(error?.message == "\(format.rawValue) has no level \(level)")
        }
    }
}
