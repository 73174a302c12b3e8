import Postgres
import Synchronization
import Testing

@testable import Databudgie

@Suite("The bytes of a data file on their way out")
struct ExportStreamTests {
    /// Chunks of rows, the header first.
    private struct Rows: AsyncSequence, Sendable {
        typealias Element = RowChunk
        var chunks: [RowChunk]

        func makeAsyncIterator() -> Iterator { Iterator(rest: chunks[...]) }

        struct Iterator: AsyncIteratorProtocol {
            var rest: ArraySlice<RowChunk>

            mutating func next() async -> RowChunk? { rest.popFirst() }
        }
    }

    private let rows = Rows(
        chunks: [RowChunk(bytes: Array("a\n".utf8), rows: 1)]
            + (1...4).map { RowChunk(bytes: Array("\($0)00\n\($0)01\n".utf8), rows: 2) }
    )

    @Test("The size of a file is foreseen by the rows that have passed and the number that is expected")
    func foresees() async throws {
        let plain = DataFileFormat(compression: nil)
        let stream = try ExportStream(rows, as: plain, meter: TransferMeter { _ in }, estimatedRows: 5)
        #expect(stream.expectedBytes == nil)
        var iterator = stream.makeAsyncIterator()
        var expected: [Int64?] = []
        while try await iterator.next() != nil { expected.append(stream.expectedBytes) }
        // After the header, with 10 bytes for 2 rows, 18 for 4, then a quarter more than there are, as long as that is likely.
        #expect(expected == [nil, 25, 22, 32, nil])
    }

    @Test("Nothing is foreseen when no number of rows is known, and what passes through another stream stays foreseen")
    func forwards() async throws {
        let plain = DataFileFormat(compression: nil)
        let unknown = try ExportStream(rows, as: plain, meter: TransferMeter { _ in })
        var iterator = unknown.makeAsyncIterator()
        while try await iterator.next() != nil {}
        #expect(unknown.expectedBytes == nil)

        let known = try ExportStream(rows, as: plain, meter: TransferMeter { _ in }, estimatedRows: 8)
        let outer = BytesBeforeEnd(known) {}
        var outerIterator = outer.makeAsyncIterator()
        for _ in 1...2 { _ = try await outerIterator.next() }
        #expect(outer.expectedBytes == 40)
    }
}
