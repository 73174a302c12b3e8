import NIOCore
import Synchronization

/// Feeds a request's body to the connection in slices: progress can be seen, and TLS copies little at a time.
struct WatchedBody: AsyncSequence, Sendable {
    static let sliceSize = 512 * 1024

    private let source: Source
    private let watch: ProgressWatch

    init(_ buffer: ByteBuffer, watch: ProgressWatch) {
        source = Source(buffer)
        self.watch = watch
    }

    /// Lets go of the bytes: the HTTP client keeps its requests a little longer than it needs them, and the memory of a
    /// part is to be used for the next one.
    func release() {
        source.buffer.withLock { $0 = ByteBuffer() }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: source, watch: watch)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: Source
        fileprivate let watch: ProgressWatch
        private var offset = 0

        fileprivate init(source: Source, watch: ProgressWatch) {
            self.source = source
            self.watch = watch
        }

        mutating func next() async -> ByteBuffer? {
            watch.tick()
            let slice = source.buffer.withLock { buffer in
                let count = Swift.min(WatchedBody.sliceSize, buffer.readableBytes - offset)
                return count > 0 ? buffer.getSlice(at: buffer.readerIndex + offset, length: count) : nil
            }
            offset += slice?.readableBytes ?? 0
            return slice
        }
    }

    fileprivate final class Source: Sendable {
        let buffer: Mutex<ByteBuffer>

        init(_ buffer: ByteBuffer) {
            self.buffer = Mutex(buffer)
        }
    }
}
