import Testing

@testable import Compression

@Suite("Detection by content")
struct DetectionTests {
    @Test(
        "Text passes through",
        arguments: [
            "a", "\n", "id", "(a)\n1\n", "((\n", "BZh9,other\n", "BZh91AY\n", "PK,id\n", "PGDMP,id\n", "P*M,id\n",
            "\u{FEFF}id\n", "\"\u{1F}\"\n", "7z\n", "(µ/s)\n", "\u{1F}\n",
        ]
    )
    func text(text: String) throws {
        let bytes = Array(text.utf8)
        #expect(try decode(bytes) == bytes)
        #expect(try decode(bytes, inputSize: 1) == bytes)
    }

    @Test("Text in other encodings passes through")
    func latin1() throws {
        let bytes = "Größe,(µ/s)\n".unicodeScalars.map { UInt8($0.value) }
        #expect(try decode(bytes) == bytes)
    }

    @Test(
        "A format that is not supported is named",
        arguments: [
            ("bzip2", Array("BZh91AY&SY".utf8)), ("bzip2", Array("BZh1".utf8) + [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]),
            ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), ("zip", Array("PK\u{3}\u{4}".utf8)),
            ("lz4", [0x04, 0x22, 0x4D, 0x18]), ("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
            ("compress (.Z)", [0x1F, 0x9D, 0x90]), ("pg_dump custom", Array("PGDMP\u{1}".utf8)),
        ] as [(String, [UInt8])]
    )
    func foreignFormats(format: String, magic: [UInt8]) {
        let error = decodingError(magic + [1, 2, 3], inputSize: 1)
        #expect(error?.code == .unsupported)
        #expect(
            error?.description == """
                the data is in the format \(format), which is not supported; decompress it first, or use gzip or zstd
                """
        )
    }

    @Test(
        "Data that was compressed twice is refused",
        arguments: CompressionFormat.allCases,
        CompressionFormat.allCases
    )
    func compressedTwice(inner: CompressionFormat, outer: CompressionFormat) throws {
        let file = try encode([encode(Samples.salesChunks(count: 2), as: inner).bytes], as: outer)
        let error = decodingError(file.bytes)
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("\(outer.rawValue) data is itself in the format \(inner.rawValue)") == true)
    }

    @Test("Data with a zero byte, which no text in Postgres can have, is refused")
    func zeroByte() {
        let error = decodingError(Array("id,name\n1,A\0\n".utf8))
        #expect(error?.code == .unsupported)
        #expect(error?.offset == 11)
    }

    @Test("A zstd file with one wrong bit in its signature is refused")
    func damagedSignature() throws {
        let file = try encode(Samples.salesChunks(count: 2), as: .zstd).bytes
        for bit in 0..<32 {
            var damaged = file
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(decodingError(damaged) != nil)
        }
    }
}
