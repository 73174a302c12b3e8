import Testing

@testable import Compression

@Suite("Files that several writers write")
struct FilePartTests {
    static let counts: [[Int]] = [[3, 2, 4], [1, 0, 0], [2, 0, 3], [5]]

    @Test(
        "Parts and an end are a whole file, and empty parts have no bytes",
        arguments: CompressionFormat.allCases,
        counts
    )
    func whole(format: CompressionFormat, counts: [Int]) throws {
        var (bytes, content): ([UInt8], [UInt8]) = ([], [])
        var totals = FileTotals(rows: 0, bytes: 0)
        for (index, count) in counts.enumerated() {
            let chunks = Samples.salesChunks(count: count, seed: UInt64(index + 1))
            let writer = try SegmentWriter(format: format, segmentSize: 4_000, part: index == 0 ? .first : .later)
            var part: [UInt8] = []
            for chunk in chunks { part += try writer.append(chunk, rows: 100).bytes }
            part += try writer.finish().flatMap(\.bytes)
            #expect(part.isEmpty == (count == 0))
            for segment in writer.segments {
                totals.rows += Int64(segment.rows)
                totals.bytes += segment.uncompressedBytes
                let stored = Array(part[Int(segment.offset)..<Int(segment.offset + segment.bytes)])
                #expect(try decode(stored, isWholeFile: false).count == Int(segment.uncompressedBytes))
            }
            bytes += part
            content += chunks.joined()
        }
        #expect(totals == FileTotals(rows: Int64(counts.reduce(0, +) * 100), bytes: Int64(content.count)))
        #expect(decodingError(bytes)?.code == .truncated)
        bytes += SegmentWriter.end(of: format, totals)
        #expect(try decode(bytes) == content)
        let reader = ContentReader()
        try reader.push(bytes)
        while try reader.next() != nil {}
        try reader.finish()
        while try reader.next() != nil {}
        #expect(reader.announcesTotals && reader.totals == totals)
    }

    @Test("A file that is not compressed has no end of its own")
    func plain() throws {
        #expect(SegmentWriter.end(of: nil, FileTotals(rows: 1, bytes: 2)) == [])
        let writer = try SegmentWriter(format: nil, part: .later)
        #expect(try writer.append([1, 10], rows: 1).bytes == [1, 10])
        #expect(try writer.finish().flatMap(\.bytes) == [])
        #expect(writer.segments.map(\.rows) == [1])
    }
}
