import DatabudgieTestSupport
import Postgres
import Synchronization

/// Connects to the shared server as the superuser, for tests that need no database of their own.
func withSharedConnection<R>(_ body: (Connection) async throws -> R) async throws -> R {
    try await Connection.withConnection(to: PostgresServer.shared.superuser, body: body)
}

/// Makes a database, with tables in it, and connects to it.
func withTables<R>(_ sql: String, _ body: (Connection) async throws -> R) async throws -> R {
    try await PostgresServer.withDatabase { parameters in
        try await Connection.withConnection(to: parameters) { connection in
            try await connection.execute(sql)
            return try await body(connection)
        }
    }
}

/// Chunks that are there already, with an error behind them if one is given.
struct ByteChunks: AsyncSequence, Sendable {
    let chunks: [[UInt8]]
    var failure: (any Error)?
    /// Called before each chunk, with its number.
    var before: (@Sendable (Int) async throws -> Void)?
    /// Whether the last chunk comes again and again, without end.
    var repeatsLast = false

    init(
        _ texts: [String],
        failure: (any Error)? = nil,
        before: (@Sendable (Int) async throws -> Void)? = nil
    ) {
        self.init(bytes: texts.map { Array($0.utf8) }, failure: failure, before: before)
    }

    init(
        bytes: [[UInt8]],
        failure: (any Error)? = nil,
        repeatsLast: Bool = false,
        before: (@Sendable (Int) async throws -> Void)? = nil
    ) {
        chunks = bytes
        self.repeatsLast = repeatsLast
        self.failure = failure
        self.before = before
    }

    struct Iterator: AsyncIteratorProtocol {
        let source: ByteChunks
        var position = 0

        mutating func next() async throws -> [UInt8]? {
            guard position < source.chunks.count else {
                if let failure = source.failure { throw failure }
                return nil
            }
            try await source.before?(position)
            defer {
                if !source.repeatsLast || position < source.chunks.count - 1 {
                    position += 1
                }
            }
            return source.chunks[position]
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(source: self)
    }
}

/// Notices in the order of their arrival.
final class Notices: Sendable {
    private let notices = Mutex<[Notice]>([])

    var all: [Notice] {
        notices.withLock { $0 }
    }

    func append(_ notice: Notice) {
        notices.withLock { $0.append(notice) }
    }
}

extension CopyOut {
    /// Everything, in one piece.
    func collect() async throws -> RowChunk {
        var all = RowChunk(bytes: [], rows: 0)
        for try await chunk in self {
            all.bytes += chunk.bytes
            all.rows += chunk.rows
        }
        return all
    }
}

/// Waits until a backend is executing something, as seen by another connection.
func waitUntilActive(_ connection: Connection, seenBy observer: Connection) async throws {
    let sql = "select state = 'active' and query not like '%nothing yet%' from pg_stat_activity where pid = $1::int"
    while try await observer.query(sql, [String(connection.server.processID)]).rows.first?[0] != "t" {
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Waits until a backend waits for a lock, as seen by another connection.
func waitUntilBlocked(_ connection: Connection, seenBy observer: Connection) async throws {
    let sql = "select from pg_locks where pid = $1::int and not granted"
    while try await observer.query(sql, [String(connection.server.processID)]).rows.isEmpty {
        try await Task.sleep(for: .milliseconds(5))
    }
}
