import Testing

@testable import Compression

@Suite("Zstd")
struct ZstdTests {
    static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    static let skippable: [UInt8] = [0x5A, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]

    let chunks = Samples.salesChunks(count: 30)
    var content: [UInt8] { Array(chunks.joined()) }

    @Test("Our files are read by zstd", arguments: ["zstd -dc", "zstdcat", "zstd -t && zstd -dc < input", "pzstd -dc"])
    func toolsReadOurs(command: String) async throws {
        let file = try encode(chunks, as: .zstd, segmentSize: 10_000)
        #expect(try await Tool(command).run(on: file.bytes) == content)
    }

    @Test("Our segments are read by zstd one by one, and have checksums")
    func toolReadsSegments() async throws {
        let file = try encode(chunks, as: .zstd, segmentSize: 30_000)
        for segment in file.segments {
            let bytes = file.bytes(of: segment)
            #expect(try await Tool("zstd -dc").run(on: bytes) == decode(bytes, isWholeFile: false))
            // The first frame has the announcement before it; the totals are a frame without content and checksum.
            let start = segment.offset == 0 ? ZstdMark.frame(.announcement).count : 0
            guard segment != file.segments.last else { continue }
            #expect(bytes[start + 4] & 0b100 != 0, "the flag of the content checksum (RFC 8878, 3.1.1.1.1)")
        }
    }

    @Test(
        "Files of zstd are read, with one frame or several, with and without checksums",
        arguments: [
            "zstd -1", "zstd -19 --long", "zstd --no-check", "zstd -3 --long=27", "zstd -T2 -B1K",
            "zstd --ultra -22 input -c",
            "split -b 7000 input part && zstd -c part*", "zstd && zstd -c < /dev/null",
        ]
    )
    func toolsFiles(command: String) async throws {
        let file = try await Tool(command).run(on: content)
        #expect(try decode(file) == content)
        #expect(try decode(file, inputSize: 1) == content)
    }

    @Test("Frames to skip are skipped", arguments: [1, 4, 1000])
    func skippableFrames(inputSize: Int) throws {
        let frame = try encodeBare(chunks, as: .zstd)
        let file = Self.skippable + frame + Self.skippable + Self.skippable + frame + Self.skippable
        #expect(try decode(file, inputSize: inputSize) == content + content)
        #expect(try decode(Self.skippable, inputSize: inputSize) == [])
    }

    @Test(
        "Anything else after the last frame is refused",
        arguments: [[10], [0, 0, 0, 0], [0x28, 0xB5, 0x2F, 0xFC, 1], Array("id,name\n".utf8)] as [[UInt8]],
        [1, 100_000]
    )
    func trailingData(bytes: [UInt8], inputSize: Int) throws {
        let file = try encode(chunks, as: .zstd).bytes
        let error = decodingError(file + bytes, inputSize: inputSize)
        #expect(error?.code == .trailingData)
    }

    @Test("A wrong checksum is named")
    func checksum() throws {
        var file = try encodeBare(chunks, as: .zstd)
        file[file.count - 1] ^= 1
        #expect(decodingError(file)?.code == .corrupt)
        #expect(decodingError(file)?.message.contains("the checksum of a frame is wrong") == true)
    }

    @Test(
        "A frame of another size than its header says is refused, also if its last block is empty",
        arguments: [1, 100]
    )
    func frameSize(inputSize: Int) throws {
        let empty: [UInt8] = Self.magic + [0x24, 0, 1, 0, 0, 0x99, 0xE9, 0xD8, 0x51]
        #expect(try decode(empty, inputSize: inputSize) == [])
        var file = empty
        file[5] = 8
        #expect(decodingError(file, inputSize: inputSize)?.code == .corrupt)
        #expect(decodingError(file, inputSize: inputSize)?.message.contains("the size of a frame is wrong") == true)
    }

    @Test("A window of more than 128 MiB and a dictionary are refused and named as the reason")
    func unsupportedFrames() {
        let lastBlock: [UInt8] = [1, 0, 0]
        let largeWindow = decodingError(Self.magic + [0x00, 0x90] + lastBlock)
        #expect(largeWindow?.code == .unsupported)
        #expect(largeWindow?.message.contains("128 MiB") == true)
        let dictionary = decodingError(Self.magic + [0x01, 0x50, 7] + lastBlock)
        #expect(dictionary?.code == .unsupported)
        #expect(dictionary?.message.contains("dictionary") == true)
    }
}
