import DatabudgieTestSupport
import Testing

@testable import Storage

@Suite("The parts of an upload", .serialized)
struct PartSizeTests {
    /// Bytes whose amount somebody claims to know.
    private struct Foreseen: AsyncSequence, ForeseeableBytes {
        typealias Element = [UInt8]
        var source: ByteSource
        var expectedBytes: Int64?

        func makeAsyncIterator() -> ByteSource.AsyncIterator { source.makeAsyncIterator() }
    }

    @Test(
        "A large object that is foreseen is sent in larger parts than one that is not",
        arguments: [(nil, 4), (1 << 30, 4), (72_000 << 20, 3), (Int64.max, 1)] as [(Int64?, Int)]
    )
    func foreseen(expected: Int64?, count: Int) async throws {
        try await withFaultyStorage([]) { test async throws in
            let content = pattern(20 << 20)
            let bytes = Foreseen(source: ByteSource(bytes: content, chunk: 300_000), expectedBytes: expected)
            // The largest part of all would need 4 GiB of memory, if it were not for an object that is smaller.
            let info = try await test.storage.write(test.path, ifExists: .replace, from: bytes)
            #expect(info.size == Int64(content.count))
            #expect(test.proxy.requests.count { $0.method == "PUT" } == count)
            #expect(try await test.direct.bytes(test.path) == content)
        }
    }
}
