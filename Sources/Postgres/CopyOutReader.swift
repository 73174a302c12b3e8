import CLibpq
import Glibc

/// Batches the rows of a running COPY … TO STDOUT into chunks; used by its connection only.
///
/// One CopyData message is one row (Postgres documentation, 55.2.6), so rows are counted without looking into them.
@safe
final class CopyOutReader {
    /// The number of the COPY.
    let statement: Canceller.StatementID
    /// Where the chunks go.
    let feed: CopyOutFeed
    /// How many messages have arrived; the header is one.
    private(set) var messages = 0
    /// Whether the server has sent everything and its result can be read.
    private(set) var hasEnded = false

    /// The bytes of the rows that have arrived.
    private var receivedBytes = 0
    /// The same at the last pause.
    private var bytesAtPause = 0
    /// The length of the last pause, in microseconds.
    private var pause: UInt32 = 300
    private let chunkSize: Int
    /// A row that did not fit in the last chunk, in libpq's memory.
    private var waiting: (bytes: UnsafeMutablePointer<CChar>, count: Int)?

    /// How many bytes a COPY has sent when it is worth while to let more arrive.
    private static let streamSize = 65_536
    /// How many bytes are worth a change of threads; four times as many fit in a unix socket, so the server is not held up.
    private static let usefulFill = 49_152
    /// The shortest and longest pauses, in microseconds.
    private static let pauses: ClosedRange<UInt32> = 150...2_400

    /// A row of this size always fits after the last one, so rows of usual size are never set aside.
    private static let slack = 16_384

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - statement: The number of the COPY.
    ///   - chunkSize: The bytes after which a chunk is full.
    ///   - feed: Where the chunks go.
    init(statement: Canceller.StatementID, chunkSize: Int, feed: CopyOutFeed) {
        self.statement = statement
        self.feed = feed
        self.chunkSize = max(1, chunkSize)
    }

    deinit {
        if let waiting = unsafe waiting {
            unsafe PQfreemem(waiting.bytes)
        }
    }

    /// Reads rows until a chunk is full or the server has no more.
    ///
    /// Only libpq allocates memory for a row; one chunk is one array.
    ///
    /// - Parameter handle: The connection, in COPY OUT state.
    /// - Returns: The rows that arrived, none at the end; see ``hasEnded``.
    @unsafe
    func read(_ handle: OpaquePointer) -> RowChunk {
        var rows = 0
        let capacity = unsafe max(chunkSize + Self.slack, waiting?.count ?? 0)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, used in
            guard let start = buffer.baseAddress else { return }
            // Takes over a row, and frees it.
            func append(_ row: UnsafeMutablePointer<CChar>, _ count: Int) {
                // Within bounds: callers have compared `count` with the room behind `used`.
                unsafe memcpy(start + used, row, count)
                unsafe PQfreemem(row)
                used += count
                rows += 1
                receivedBytes += count
            }
            if let row = unsafe waiting {
                unsafe waiting = nil
                unsafe append(row.bytes, row.count)
            }
            while used < chunkSize {
                var pointer: UnsafeMutablePointer<CChar>?
                let count = Int(unsafe nextRow(handle, &pointer))
                guard count > 0, let row = unsafe pointer else {
                    hasEnded = true
                    return
                }
                guard count <= capacity - used else {
                    unsafe waiting = unsafe (row, count)
                    return
                }
                unsafe append(row, count)
            }
        }
        messages += rows
        return RowChunk(bytes: bytes, rows: rows)
    }

    /// Takes the next row, and waits for it if it has not arrived.
    ///
    /// A server sends 8 KiB at a time and would wake this thread as often. A short pause before the wait lets the socket fill,
    /// so that many rows cost one change of threads; it is worth it only once the rows are a stream.
    ///
    /// - Parameters:
    ///   - handle: The connection, in COPY OUT state.
    ///   - row: Gets the row.
    /// - Returns: As PQgetCopyData does: the row's size; a negative number when there is none.
    @unsafe
    private func nextRow(_ handle: OpaquePointer, _ row: inout UnsafeMutablePointer<CChar>?) -> Int32 {
        let count = unsafe PQgetCopyData(handle, &row, 1)
        guard count == 0 else { return count }
        let arrived = unsafe receivedRow(handle, &row)
        guard arrived == 0 else { return arrived }
        if receivedBytes >= Self.streamSize {
            usleep(nextPause())
            let arrived = unsafe receivedRow(handle, &row)
            guard arrived == 0 else { return arrived }
        }
        // Only libpq can wait under TLS, whose bytes may be in memory already.
        return unsafe PQgetCopyData(handle, &row, 0)
    }

    /// How long the socket may fill now, by what came after the last pause, in microseconds.
    private func nextPause() -> UInt32 {
        let arrived = receivedBytes - bytesAtPause
        bytesAtPause = receivedBytes
        if arrived < Self.usefulFill {
            pause = min(pause * 2, Self.pauses.upperBound)
        } else if arrived > Self.usefulFill * 2 {
            pause = max(pause / 2, Self.pauses.lowerBound)
        }
        return pause
    }

    /// Takes the next row if it is in the socket, without waiting; 0 if it is not.
    @unsafe
    private func receivedRow(_ handle: OpaquePointer, _ row: inout UnsafeMutablePointer<CChar>?) -> Int32 {
        let isAlive = unsafe PQconsumeInput(handle) == 1
        let count = unsafe PQgetCopyData(handle, &row, 1)
        // A connection that was lost has no more rows; its result says why.
        return count == 0 && !isAlive ? -2 : count
    }
}
