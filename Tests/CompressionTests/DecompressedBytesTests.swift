import Testing

@testable import Compression

@Suite("Decompressed bytes")
struct DecompressedBytesTests {
    @Test("Decompressed bytes are the content, in pieces of at most 256 KiB", arguments: CodecConformanceTests.formats)
    func pieces(format: CompressionFormat?) async throws {
        let content = Samples.noise(count: 1_000_000)
        let file = try encode([content], as: format)
        var result: [UInt8] = []
        for try await piece in ChunkSequence(chunks: [file.bytes, []]).decompressed() {
            #expect((1...262_144).contains(piece.count))
            result += piece
        }
        #expect(result == content)
    }

    @Test("No bytes at all give no content")
    func nothing() async throws {
        var iterator = ChunkSequence(chunks: []).decompressed().makeAsyncIterator()
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil)
    }

    @Test("An error of the source is passed on")
    func sourceFails() async throws {
        let file = try encode(Samples.salesChunks(count: 1), as: .gzip)
        await #expect(throws: ChunkSequence.SourceError.self) {
            for try await _ in ChunkSequence(chunks: [file.bytes], fails: true).decompressed() {}
        }
    }

    @Test("A file that is cut off ends with an error")
    func afterError() async throws {
        let file = try encode(Samples.salesChunks(count: 1), as: .zstd)
        var iterator = ChunkSequence(chunks: [file.bytes.dropLast()]).decompressed().makeAsyncIterator()
        await #expect(throws: CompressionError.self) { _ = try await iterator.next() }
    }
}
