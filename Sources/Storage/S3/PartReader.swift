import NIOCore

/// Cuts a source of chunks into parts of wanted sizes.
struct PartReader<Source: AsyncIteratorProtocol> where Source.Element == [UInt8] {
    private var source: Source
    private var rest: ArraySlice<UInt8> = []
    /// The source gave everything, and so did this.
    private(set) var isAtEnd = false

    init(_ source: Source) {
        self.source = source
    }

    /// Fills a buffer up to a size; less only when the source ends.
    ///
    /// Afterwards `isAtEnd` is known for sure.
    mutating func fill(_ buffer: inout ByteBuffer, upTo size: Int) async throws {
        while true {
            if rest.isEmpty {
                guard let chunk = try await source.next(isolation: #isolation) else {
                    isAtEnd = true
                    return
                }
                try Task.checkCancellation()
                rest = chunk[...]
            }
            guard !rest.isEmpty else { continue }
            let count = min(size - buffer.readableBytes, rest.count)
            // Only now, when one more byte is known to follow, is a full part not the last one.
            guard count > 0 else { return }
            buffer.writeBytes(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
    }
}
