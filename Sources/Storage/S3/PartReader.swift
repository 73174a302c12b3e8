import NIOCore

/// Cuts a source of chunks into parts of wanted sizes.
struct PartReader<Source: AsyncIteratorProtocol> where Source.Element == [UInt8] {
    private var source: Source
    private let foreseen: (any ForeseeableBytes)?
    private var rest: ArraySlice<UInt8> = []
    /// The source gave everything, and so did this.
    private(set) var isAtEnd = false

    /// - Parameters:
    ///   - source: The chunks.
    ///   - foreseen: Tells how many bytes they will have in all, if anybody can.
    init(_ source: Source, foreseeing foreseen: (any ForeseeableBytes)? = nil) {
        self.source = source
        self.foreseen = foreseen
    }

    /// How many bytes there will be in all; nil when nobody can tell.
    var expectedBytes: Int64? { foreseen?.expectedBytes }

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
