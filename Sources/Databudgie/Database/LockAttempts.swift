import Postgres

/// How a run takes locks that other sessions may be in the way of.
///
/// Each attempt is short, because every other session that wants the table queues behind a pending lock.
struct LockAttempts: Sendable {
    /// The lock timeout of each attempt.
    var timeout = Duration.seconds(10)
    /// How often it is tried altogether.
    var count = 3

    /// Limits the waits for locks, until ``endLimit(over:)`` or the end of the transaction.
    ///
    /// - Parameter connection: Has a transaction open.
    /// - Throws: `PostgresError`.
    func limit(over connection: Connection) async throws {
        // It takes no snapshot.
        await connection.sendWithNext("set local lock_timeout = \(timeout / .milliseconds(1))")
    }

    /// Lets statements wait for locks as long as they must.
    ///
    /// - Parameter connection: Has a transaction open.
    /// - Throws: `PostgresError`.
    func endLimit(over connection: Connection) async throws {
        await connection.sendWithNext("set local lock_timeout = 0")
    }

    /// Runs the body again when it had to give way to another session.
    ///
    /// - Parameters:
    ///   - isWorthwhile: Receives the error and the number of the next attempt, and says whether it is made.
    ///   - body: Leaves nothing behind when it throws: it is a transaction or a savepoint of its own.
    /// - Returns: What the body returns.
    /// - Throws: What the last attempt throws.
    func retrying<Result>(
        when isWorthwhile: (_ error: any Error, _ attempt: Int) -> Bool = { error, _ in LockConflict(of: error) != nil
        },
        _ body: () async throws -> Result
    ) async throws -> Result {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch {
                attempt += 1
                guard attempt <= count, !Task.isCancelled, isWorthwhile(error, attempt) else { throw error }
            }
        }
    }

    /// What happened, when the last attempt failed too.
    ///
    /// - Parameters:
    ///   - tables: The tables that the lock was for, as messages name them.
    ///   - conflict: What was in the way.
    ///   - run: What is to be run again, such as `backup`.
    ///   - holders: The sessions that were in the way, as far as they are known.
    ///   - error: The server's.
    /// - Returns: The error to throw.
    func failure(
        toLock tables: [String],
        _ conflict: LockConflict,
        run: String,
        holders: [String] = [],
        underlying error: any Error
    ) -> DatabudgieError {
        let listed = tables.listed()
        let session = holders.isEmpty ? "another session" : holders.joined(separator: ", ")
        let seconds = timeout / .seconds(1)
        let length = seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
        let (tried, reason) =
            switch conflict {
            case .timeout:
                ("\(count) attempts of \(length) s", "\(session) holds a conflicting lock")
            case .deadlock:
                ("\(count) attempts", "each ended in a deadlock with \(session)")
            }
        return DatabudgieError(
            .database,
            "could not lock \(tables.count == 1 ? "the table" : "one of the tables") \(listed) (\(tried)): \(reason)",
            hint: "run the \(run) again when that session has finished",
            underlying: error
        )
    }
}

/// Why a statement had to give way to another session.
enum LockConflict: Sendable {
    /// The lock timeout has passed.
    case timeout
    /// The server has chosen the statement to end a deadlock.
    case deadlock

    /// Classifies an error; nil for every other one.
    init?(of error: any Error) {
        if let underlying = (error as? DatabudgieError)?.underlying {
            self.init(of: underlying)
            return
        }
        // SQLSTATEs lock_not_available and deadlock_detected.
        switch (error as? PostgresError)?.sqlState {
        case "55P03": self = .timeout
        case "40P01": self = .deadlock
        default: return nil
        }
    }
}
