/// A chunk of a compressed file, of which a part may have been read.
struct CompressedInput {
    private var bytes: [UInt8] = []
    private var position = 0
    private var chunkOffset: Int64

    /// Begins to read a file.
    ///
    /// - Parameter offset: The position in the file of the first byte of the first chunk.
    init(offset: Int64 = 0) {
        chunkOffset = offset
    }

    /// The position in the file of the first byte that remains.
    var offset: Int64 { chunkOffset + Int64(position) }

    var isEmpty: Bool { position == bytes.count }

    /// The first byte that remains.
    var first: UInt8? { isEmpty ? nil : bytes[position] }

    /// Replaces the used-up chunk with the next one of the file.
    mutating func refill(_ chunk: [UInt8]) {
        precondition(isEmpty, "the chunk before was not used up")
        chunkOffset += Int64(bytes.count)
        bytes = chunk
        position = 0
    }

    /// Removes and returns the first byte.
    mutating func popFirst() -> UInt8? {
        guard let byte = first else { return nil }
        position += 1
        return byte
    }

    /// Removes and returns what remains, at most `limit` bytes of it; nil when nothing does.
    mutating func take(upTo limit: Int) -> [UInt8]? {
        guard !isEmpty else { return nil }
        let start = position
        position += min(limit, bytes.count - start)
        return start == 0 && isEmpty ? bytes : Array(bytes[start..<position])
    }

    /// Lets `body` read what remains, at most `limit` bytes of it, and removes as many bytes as it returns.
    mutating func read(upTo limit: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Int) {
        let end = position + min(limit, bytes.count - position)
        let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe body(UnsafeBufferPointer(rebasing: buffer[position..<end]))
        }
        precondition(taken >= 0 && taken <= end - position, "more was taken than there was")
        position += taken
    }
}
