import Synchronization

/// The bytes of an open file, in chunks of about 256 KiB.
///
/// It is single-pass: a second iterator traps. Releasing it closes the file.
public struct StorageBytes: AsyncSequence, Sendable {
    /// A chunk, never empty.
    public typealias Element = [UInt8]

    /// The size of the chunks, in bytes: larger ones gain nothing, smaller ones cost a hop between threads each.
    static let chunkSize = 256 * 1024

    /// The version of the file that the bytes belong to.
    public let info: FileInfo
    private let reader: any ChunkReader
    private let isTaken = SharedFlag()

    init(info: FileInfo, reader: any ChunkReader) {
        self.info = info
        self.reader = reader
    }

    /// Begins to read.
    /// - Returns: The only iterator.
    public func makeAsyncIterator() -> AsyncIterator {
        precondition(isTaken.raise(), "StorageBytes can be read only once")
        return AsyncIterator(reader: reader)
    }

    /// Reads everything into memory.
    /// - Parameter limit: The most bytes to accept; the file may be larger than memory.
    /// - Returns: All bytes.
    /// - Throws: ``StorageError``, with code `rejected` when there are more bytes; `CancellationError`.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await chunk in self {
            guard all.count + chunk.count <= limit else {
                throw StorageError(
                    .rejected,
                    "\(info.path) is larger than the limit of \(limit) bytes",
                    hint: "check what the file is",
                    path: info.path
                )
            }
            all += chunk
        }
        return all
    }

    /// Pulls the chunks one after another.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: any ChunkReader

        /// Waits for the next chunk.
        /// - Returns: The chunk, or nil after the last one.
        /// - Throws: `StorageError` when the file cannot be read to its end; `CancellationError`.
        public mutating func next() async throws -> [UInt8]? {
            try await reader.next()
        }
    }
}

/// What `StorageBytes` reads from; each storage has its own.
protocol ChunkReader: AnyObject, Sendable {
    /// The next chunk, nil after the last one and ever after.
    @concurrent
    func next() async throws -> [UInt8]?
}

/// A flag that copies of a value share.
private final class SharedFlag: Sendable {
    private let isRaised = Atomic(false)

    /// Returns whether this call was the first.
    func raise() -> Bool { !isRaised.exchange(true, ordering: .relaxed) }
}
