import CLibpq
import Glibc

/// Batches the rows of a running COPY … TO STDOUT into chunks; used by its connection only.
///
/// One CopyData message is one row (Postgres documentation, 55.2.6), so rows are counted without looking into them.
@safe
final class CopyOutReader {
    /// The number of the COPY.
    let statement: Canceller.StatementID
    /// The chunk that was read ahead, or the end.
    var prepared: Result<RowChunk?, PostgresError>?
    /// How many messages have arrived; the header is one.
    private(set) var messages = 0
    /// Whether the server has sent everything and its result can be read.
    private(set) var hasEnded = false

    private let chunkSize: Int
    /// A row that did not fit in the last chunk, in libpq's memory.
    private var waiting: (bytes: UnsafeMutablePointer<CChar>, count: Int)?

    /// A row of this size always fits after the last one, so rows of usual size are never set aside.
    private static let slack = 16_384

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - statement: The number of the COPY.
    ///   - chunkSize: The bytes after which a chunk is full.
    init(statement: Canceller.StatementID, chunkSize: Int) {
        self.statement = statement
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
            }
            if let row = unsafe waiting {
                unsafe waiting = nil
                unsafe append(row.bytes, row.count)
            }
            while used < chunkSize {
                var pointer: UnsafeMutablePointer<CChar>?
                let count = Int(unsafe PQgetCopyData(handle, &pointer, 0))
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
}
