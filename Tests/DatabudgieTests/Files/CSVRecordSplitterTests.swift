import Testing

@testable import Databudgie

@Suite("Records of a CSV stream in batches")
struct CSVRecordSplitterTests {
    /// All records with their lines, and the sizes of the batches.
    private func split(
        _ text: String,
        size: Int,
        chunk: Int,
        endsWithCarriageReturn: Bool = false
    ) -> (records: [String], lines: [Int], sizes: [Int]) {
        var splitter = CSVRecordSplitter(size: size, endsWithCarriageReturn: endsWithCarriageReturn)
        let bytes = Array(text.utf8)
        var batches: [CSVRecordBatch] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            batches += splitter.add(Array(bytes[start..<min(start + chunk, bytes.count)]))
        }
        batches.append(splitter.take())
        let records = batches.flatMap { batch in
            (0..<batch.count).map { String(decoding: batch.bytes(of: $0..<$0 + 1), as: UTF8.self) }
        }
        return (records, batches.flatMap { batch in (0..<batch.count).map(batch.line) }, batches.map(\.bytes.count))
    }

    private static let records = [
        "id,x\n", "1,a\n", "2,\"b\nb\"\n", "3,\"say \"\"no\"\"\n\n\"\r\n", "\n", "4,\"\"\n", "5,\u{E9}e\u{301}\n",
        "6,last",
    ]

    @Test("Records and their lines are the same, however the stream is cut into chunks", arguments: 1...40)
    func chunks(chunk: Int) {
        for size in [1, 7, 1_000] {
            let split = split(Self.records.joined(), size: size, chunk: chunk)
            #expect(split.records.elementsEqual(Self.records) { $0.hasBytes(of: $1) })
            #expect(split.lines == [1, 2, 3, 5, 8, 9, 10, 11])
            // A batch ends with the first record that makes it large enough.
            #expect(split.sizes.dropLast().allSatisfy { $0 >= size })
            if size == 1_000 { #expect(split.sizes.count == 1) }
            if size == 1 { #expect(split.sizes.count == Self.records.count) }
        }
    }

    @Test("Records can end with a lone carriage return, and line feeds are part of them then")
    func carriageReturns() {
        let split = split("a\r1\n\r\"2\r\"\r", size: 1, chunk: 3, endsWithCarriageReturn: true)
        #expect(split.records == ["a\r", "1\n\r", "\"2\r\"\r"])
        #expect(split.lines == [1, 2, 3])
    }

    @Test("Some of the records are a range of the bytes")
    func ranges() {
        var splitter = CSVRecordSplitter(size: 1_000, endsWithCarriageReturn: false)
        #expect(splitter.add(Array("a\nb\nc\n".utf8)).isEmpty)
        let batch = splitter.take()
        #expect(batch.bytes(of: 1..<3) == Array("b\nc\n".utf8))
        #expect(batch.bytes(of: 0..<1) == Array("a\n".utf8))
        #expect(batch.bytes(of: 1..<1) == [])
        #expect(splitter.take().count == 0)
    }
}
