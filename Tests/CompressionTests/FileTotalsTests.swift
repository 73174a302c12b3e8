import Testing

@testable import Compression

@Suite("Totals at the end of a file")
struct FileTotalsTests {
    static let formats = CompressionFormat.allCases

    /// Some segments of 100 rows, and their content.
    let chunks = Samples.salesChunks(count: 4)

    private func file(_ format: CompressionFormat) throws -> EncodedFile {
        try encode(chunks, as: format, segmentSize: 1)
    }

    private func reader(of bytes: [UInt8]) throws -> ContentReader {
        let reader = ContentReader()
        try reader.push(bytes)
        while try reader.next() != nil {}
        try reader.finish()
        while try reader.next() != nil {}
        return reader
    }

    @Test("A file announces its totals and ends with them, also when it has no rows", arguments: formats)
    func totals(format: CompressionFormat) throws {
        let full = try reader(of: file(format).bytes)
        #expect(full.announcesTotals)
        #expect(full.totals == FileTotals(rows: 400, bytes: Int64(chunks.joined().count)))
        let empty = try reader(of: encode([], as: format).bytes)
        #expect(empty.announcesTotals)
        #expect(empty.totals == FileTotals(rows: 0, bytes: 0))
    }

    @Test("The announcement is found at the beginning alone", arguments: formats, [1, 1000])
    func announcement(format: CompressionFormat, inputSize: Int) throws {
        let reader = ContentReader()
        for chunk in try Array(file(format).bytes.prefix(1000)).split(into: inputSize) {
            try reader.push(chunk)
            while try reader.next() != nil {}
        }
        #expect(reader.announcesTotals)
        #expect(reader.totals == nil)
    }

    @Test("The layout is the documented one")
    func layout() throws {
        let writer = try SegmentWriter(format: .gzip)
        _ = try writer.append(Array("a\n1\n".utf8), rows: 2)
        let tag = Array("databudgie".utf8)
        let payload: [UInt8] = tag + [2, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
        // By Python's zlib.crc32.
        let checksum: [UInt8] = [0xC4, 0x89, 0x4B, 0xAC]
        let gzip = try #require(try writer.finish().last).bytes
        let gzipHeader: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 35, 0, 0x64, 0x62, 31, 0]
        #expect(gzip == gzipHeader + payload + checksum + [3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        let zstdHeader: [UInt8] = [0x5B, 0x2A, 0x4D, 0x18, 31, 0, 0, 0]
        #expect(ZstdMark.frame(.totals(FileTotals(rows: 2, bytes: 4))) == zstdHeader + payload + checksum)

        let gzipBeginning: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 15, 0, 0x64, 0x62, 11, 0]
        #expect(try encode([], as: .gzip).bytes.starts(with: gzipBeginning + tag + [1]))
        #expect(try encode([], as: .zstd).bytes.starts(with: [0x5B, 0x2A, 0x4D, 0x18, 11, 0, 0, 0] + tag + [1]))
    }

    @Test("A file that was cut off at the end of a segment is incomplete", arguments: formats, [1, 100_000])
    func cutOff(format: CompressionFormat, inputSize: Int) throws {
        let file = try file(format)
        for segment in file.segments.dropLast() {
            let length = Int(segment.offset + segment.bytes)
            let error = decodingError(Array(file.bytes.prefix(length)), inputSize: inputSize)
            #expect(error?.code == .truncated)
            #expect(
                error?.description == """
                    the \(format.rawValue) data is incomplete: its beginning announces that totals are at its end, but \
                    it ends without them, after \(length) bytes; copy the file again from its source, or use another \
                    backup
                    """
            )
        }
    }

    @Test("A file that lacks its beginning, or a segment in the middle, is refused", arguments: formats)
    func missingSegments(format: CompressionFormat) throws {
        let file = try file(format)
        let withoutFirst = Array(file.bytes[Int(file.segments[1].offset)...])
        #expect(decodingError(withoutFirst)?.code == .corrupt)
        #expect(decodingError(withoutFirst)?.message.contains("its beginning is missing") == true)
        let second = file.segments[1]
        var withoutSecond = file.bytes
        withoutSecond.removeSubrange(Int(second.offset)..<Int(second.offset + second.bytes))
        let content = chunks.joined().count
        let reason = "it has \(content - chunks[1].count) bytes of content, and its end says \(content)"
        #expect(decodingError(withoutSecond)?.code == .corrupt)
        #expect(decodingError(withoutSecond)?.message.hasSuffix(reason) == true)
    }

    @Test("Nothing follows the totals: not another file of ours, nor one of another tool", arguments: formats)
    func continued(format: CompressionFormat) throws {
        let file = try file(format).bytes
        for following in [file, try encodeBare(chunks, as: format), ZstdTests.skippable] {
            #expect(decodingError(file + following)?.code == .trailingData)
            #expect(decodingError(file + following, inputSize: 1)?.code == .trailingData)
        }
    }

    @Test("A file of ours is not the continuation of another one", arguments: formats)
    func concatenated(format: CompressionFormat) throws {
        let error = try decodingError(encodeBare(chunks, as: format) + file(format).bytes)
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("another file begins in the middle") == true)
    }

    @Test("Altered totals are refused, at every byte", arguments: formats)
    func altered(format: CompressionFormat) throws {
        let file = try file(format)
        let last = try #require(file.segments.last)
        // From the tag's first byte on; in a gzip member ten bytes of compressed data and trailer follow.
        let start = Int(last.offset) + (format == .gzip ? 16 : 8)
        #expect(file.bytes[start...].starts(with: Array("databudgie".utf8)))
        for position in start..<file.bytes.count {
            var damaged = file.bytes
            damaged[position] ^= 1
            #expect(decodingError(damaged) != nil, "byte \(position - start)")
        }
    }

    @Test("Files that announce nothing are read to their end", arguments: formats)
    func withoutAnnouncement(format: CompressionFormat) throws {
        let bare = try encodeBare(chunks, as: format)
        let reader = try reader(of: bare + bare)
        #expect(!reader.announcesTotals)
        #expect(reader.totals == nil)
        #expect(try decode(bare + bare) == Array(chunks.joined()) + Array(chunks.joined()))
    }

    @Test("Marks of a later version are refused as such", arguments: formats)
    func unknownMark(format: CompressionFormat) throws {
        var bytes = try file(format).bytes
        let kind = (format == .gzip ? GzipMark.header(.announcement) : ZstdMark.frame(.announcement)).count - 1
        #expect(bytes[kind] == 1)
        bytes[kind] = 3
        #expect(decodingError(bytes)?.code == .unsupported)
        #expect(decodingError(bytes)?.message.contains("a mark that this version does not know") == true)
    }

    @Test(
        "Extra fields of other tools mean nothing",
        arguments: [
            [], [0x64], Array("db\u{5}\0other".utf8), Array("BC\u{2}\0\u{1}\u{2}".utf8), Array("db\u{FF}".utf8),
            Array("RA\0\0db\0\0".utf8), [UInt8](repeating: 0x64, count: 65_535),
        ] as [[UInt8]]
    )
    func foreignExtraFields(extra: [UInt8]) throws {
        let member = try encodeBare(chunks, as: .gzip)
        let length = [UInt8(extra.count & 0xFF), UInt8(extra.count >> 8)]
        let file: [UInt8] = member[..<3] + [4] + member[4..<10] + length + extra + member[10...]
        let reader = try reader(of: file)
        #expect(!reader.announcesTotals)
        #expect(try decode(file, inputSize: 1000) == Array(chunks.joined()))
    }

    @Test("Our subfield is found behind another one")
    func secondSubfield() {
        let extra: [UInt8] = Array("BC\u{2}\0\u{1}\u{2}db\u{3}\0abc".utf8)
        #expect(GzipMark.payload(in: extra).map(Array.init) == Array("abc".utf8))
    }
}
