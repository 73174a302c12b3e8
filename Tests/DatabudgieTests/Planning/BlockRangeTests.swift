import Compression
import Crypto
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Ranges of blocks")
struct BlockRangeTests {
    @Test(
        "Ranges are neighbours of about equal size, the first begins the table, and the last has no end",
        arguments: [(UInt32(8), 4), (10, 4), (3, 8), (4_294_967_295, 512), (100, 1)]
    )
    func ranges(blocks: UInt32, count: Int) {
        let ranges = BlockRange.ranges(of: blocks, count: count)
        #expect(ranges.count == min(count, Int(blocks)))
        #expect(ranges.first?.start == 0)
        #expect(ranges.last?.end == nil)
        for (left, right) in zip(ranges, ranges.dropFirst()) { #expect(left.end == right.start) }
        let sizes = ranges.map { ($0.end ?? blocks) - $0.start }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    @Test("A table without blocks is one range")
    func empty() {
        #expect(BlockRange.ranges(of: 0, count: 32) == [BlockRange(start: 0, end: nil)])
    }

    @Test("The rows of a range are chosen by their addresses, whatever the search path is")
    func sql() {
        let table = ExportQuery.table(QualifiedName(schema: "s", name: "o'\"t"), isOnly: true)
        #expect(
            table.sql(of: BlockRange(start: 5, end: 4_294_967_295))
                == "select * from only \"s\".\"o'\"\"t\" where ctid operator(pg_catalog.>=) '(5,0)'::pg_catalog.tid "
                + "and ctid operator(pg_catalog.<) '(4294967295,0)'::pg_catalog.tid"
        )
        #expect(
            table.sql(of: BlockRange(start: 7, end: nil))
                == "select * from only \"s\".\"o'\"\"t\" where ctid operator(pg_catalog.>=) '(7,0)'::pg_catalog.tid"
        )
        #expect(ExportQuery.custom("select 1").sql(of: BlockRange(start: 0, end: nil)) == nil)
    }

    @Test("Ranges together are one file: offsets, totals and the end", arguments: CompressionFormat.allCases + [nil])
    func joined(compression: CompressionFormat?) throws {
        let contents = ["id\n1\n2\n", "", "3\n"]
        var (bytes, ranges): ([UInt8], [ExportedRange]) = ([], [])
        for (index, content) in contents.enumerated() {
            let writer = try SegmentWriter(format: compression, part: index == 0 ? .first : .later)
            var piece: [UInt8] = []
            let rows = content.split(separator: "\n").count
            if rows > 0 { piece += try writer.append(Array(content.utf8), rows: rows).bytes }
            piece += try writer.finish().flatMap(\.bytes)
            let totals = TransferTotals(
                rows: index == 0 ? rows - 1 : rows,
                bytes: Int64(content.utf8.count),
                fileBytes: Int64(piece.count)
            )
            let segments = writer.segments.map { segment in
                let stored = piece[Int(segment.offset)..<Int(segment.offset + segment.bytes)]
                return HashedSegment(segment: segment, sha256: Array(SHA256.hash(data: Array(stored))))
            }
            ranges.append(ExportedRange(columns: [], totals: totals, segments: segments))
            bytes += piece
        }
        let (segments, totals, end) = ranges.joined(as: DataFileFormat(compression: compression))
        bytes += end
        #expect(end.isEmpty == (compression == nil))
        #expect(totals == TransferTotals(rows: 3, bytes: 9, fileBytes: Int64(bytes.count)))
        #expect(segments.map(\.segment.rows) == (compression == nil ? [3, 1] : [3, 1, 0]))
        var offset: Int64 = 0
        for hashed in segments {
            #expect(hashed.segment.offset == offset)
            offset += hashed.segment.bytes
            let stored = bytes[Int(hashed.segment.offset)..<Int(offset)]
            #expect(Array(SHA256.hash(data: Array(stored))) == hashed.sha256)
        }
        #expect(offset == Int64(bytes.count))
    }
}
