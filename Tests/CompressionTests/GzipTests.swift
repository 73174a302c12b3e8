import Testing

@testable import Compression

@Suite("Gzip")
struct GzipTests {
    let chunks = Samples.salesChunks(count: 30)
    var content: [UInt8] { Array(chunks.joined()) }

    @Test("Members have no name and no time")
    func header() throws {
        let file = try encode(chunks, as: .gzip, segmentSize: 10_000)
        for (number, segment) in file.segments.enumerated() {
            // Only the first and the last have an extra field.
            let flags: UInt8 = [0, file.segments.count - 1].contains(number) ? 1 << 2 : 0
            #expect(file.bytes(of: segment).prefix(8) == [0x1F, 0x8B, 8, flags, 0, 0, 0, 0])
        }
    }

    @Test(
        "Our files are read by gzip, zcat, pigz and the zlib of Python and Perl",
        arguments: [
            "gzip -dc", "zcat", "gzip -t && gzip -dc < input",
            "if command -v pigz >/dev/null; then pigz -dc; else gzip -dc; fi",
            "python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.open(\"input\").read())'",
            "perl -MIO::Uncompress::Gunzip=gunzip -e 'gunzip \"input\" => \"-\", MultiStream => 1'",
        ]
    )
    func toolsReadOurs(command: String) async throws {
        let file = try encode(chunks, as: .gzip, segmentSize: 10_000)
        #expect(try await Tool(command).run(on: file.bytes) == content)
    }

    @Test("Our segments are read by gzip one by one")
    func toolReadsSegments() async throws {
        let file = try encode(chunks, as: .gzip, segmentSize: 30_000)
        for (index, segment) in file.segments.enumerated() {
            let bytes = file.bytes(of: segment)
            #expect(try await Tool("gzip -dc").run(on: bytes) == decode(bytes, isWholeFile: false))
            #expect(index < 10)
        }
    }

    @Test(
        "Files of gzip are read, with one member or several",
        arguments: [
            "gzip -1", "gzip -9", "cp input sales.csv && gzip -N9 sales.csv && cat sales.csv.gz",
            "split -b 7000 input part && gzip -c part*", "gzip && gzip -c /dev/null",
        ]
    )
    func toolsFiles(command: String) async throws {
        let file = try await Tool(command).run(on: content)
        #expect(try decode(file) == content)
        #expect(try decode(file, inputSize: 1) == content)
    }

    /// `id,name\n1,Anna\n2,Ben\n` by Python's gzip module, which stores a name and a time.
    static let pythonFile: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x08, 0x10, 0x81, 0x86, 0x60, 0x02, 0xFF, 0x73, 0x61, 0x6C, 0x65, 0x73, 0x2E,
        0x63, 0x73, 0x76, 0x00, 0xCB, 0x4C, 0xD1, 0xC9, 0x4B, 0xCC, 0x4D, 0xE5, 0x32, 0xD4, 0x71, 0xCC,
        0xCB, 0x4B, 0xE4, 0x32, 0xD2, 0x71, 0x4A, 0xCD, 0xE3, 0x02, 0x00, 0x4F, 0x55, 0x04, 0xBC, 0x15,
        0x00, 0x00, 0x00,
    ]

    @Test("Files of Python are read")
    func pythonFile() throws {
        #expect(try decode(Self.pythonFile, inputSize: 1) == Array("id,name\n1,Anna\n2,Ben\n".utf8))
    }

    @Test("Headers with every optional field are read, however they are split", arguments: [1, 5, 1000])
    func fullHeader(inputSize: Int) throws {
        let member = try encodeBare(chunks, as: .gzip)
        let header: [UInt8] =
            [0x1F, 0x8B, 8, 0b11111, 1, 2, 3, 4, 0, 3, 4, 0, 65, 66, 0, 0] + Array("a.csv".utf8) + [0]
            + Array("a comment".utf8) + [0]
        for (checksum, isRight) in [(crc32(header), true), (crc32(header) ^ 1, false)] {
            let file = header + [UInt8(checksum & 0xFF), UInt8(checksum >> 8 & 0xFF)] + member.dropFirst(10)
            if isRight {
                #expect(try decode(file + file, inputSize: inputSize) == content + content)
            } else {
                #expect(decodingError(file, inputSize: inputSize)?.code == .corrupt)
            }
        }
    }

    @Test("Zeros after the last member are tolerated, as gzip does", arguments: [1, 3, 512, 100_000])
    func zeroPadding(count: Int) throws {
        let file = try encode(chunks, as: .gzip).bytes + [UInt8](repeating: 0, count: count)
        #expect(try decode(file) == content)
        #expect(decodingError(file + [1])?.code == .trailingData)
        #expect(try decodingError(file + encode(chunks, as: .gzip).bytes)?.code == .trailingData)
    }

    @Test("Anything else after the last member is refused", arguments: ["\n", "id,name\n1,Anna\n", "\u{1}"])
    func trailingData(text: String) throws {
        let file = try encode(chunks, as: .gzip).bytes
        let error = decodingError(file + Array(text.utf8))
        #expect(error?.code == .trailingData)
        #expect(error?.offset == Int64(file.count))
    }

    @Test("A wrong checksum, a wrong size and reserved flags are named")
    func corruption() throws {
        let file = try encode(chunks, as: .gzip).bytes
        for position in [file.count - 1, file.count - 8] {
            var damaged = file
            damaged[position] ^= 0x10
            let error = decodingError(damaged)
            #expect(error?.code == .corrupt)
            #expect(error?.offset == Int64(file.count))
            #expect(error?.hint == "copy the file again from its source, or use another backup")
            #expect(
                error?.description == """
                    the gzip data is corrupt, noticed at byte \(file.count): the checksum of a member is wrong; \
                    copy the file again from its source, or use another backup
                    """
            )
        }
        var reserved = file
        reserved[3] = 0x20
        #expect(decodingError(reserved)?.message.contains("reserved flags") == true)
        #expect(decodingError(reserved)?.offset == 3)
    }

    @Test("A file that ends early is reported with the number of its bytes")
    func truncationMessage() throws {
        let file = try encode(chunks, as: .gzip).bytes
        #expect(
            decodingError(Array(file.prefix(100)))?.description == """
                the gzip data is incomplete: it ends in the middle of a member, after 100 bytes; \
                copy the file again from its source, or use another backup
                """
        )
    }

    /// The checksum of gzip (RFC 1952, section 8), the plain way.
    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { checksum, byte in
            (0..<8).reduce(checksum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }
}
