import Postgres

/// How many members a run has, when nobody says it.
struct WorkerLimit {
    let settings: RunSettings
    let connection: Connection

    /// Below so many bytes, or jobs, a further connection takes longer than it saves, unless somebody asks for it.
    private static let worthwhile = (bytes: Int64(32 << 20), jobs: 32)

    /// How many members there may be.
    ///
    /// - Parameter count: How many jobs there are that take time.
    /// - Returns: At least 1.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func most(for count: Int) async throws -> Int {
        let most = max(1, min(settings.jobs ?? settings.standardJobs, count))
        // How many connections a pool has left for us is not known.
        if most > 1, settings.jobs == nil, try await connection.isPooled { return 1 }
        return most
    }

    /// How many of these are worth it.
    ///
    /// - Parameters:
    ///   - most: How many there may be.
    ///   - sizes: Of all jobs, in bytes; nil when that is not known: such a job may take long.
    /// - Returns: All of them, if somebody has asked for them.
    func decide(_ most: Int, _ sizes: [Int64?]) -> Int {
        guard settings.jobs == nil else { return most }
        let bytes = sizes.reduce(0) { $0 + ($1 ?? Self.worthwhile.bytes) }
        return min(most, 1 + max(Int(bytes / Self.worthwhile.bytes), sizes.count / Self.worthwhile.jobs))
    }
}

extension WorkerLimit {
    /// How many of the wanted members the server has room for, asked in the run's transaction.
    ///
    /// - Parameters:
    ///   - wanted: How many there are to be, with the leader.
    ///   - work: What the members do, for a note when the server has too few connections.
    ///   - recorder: Gets the note.
    /// - Returns: At least 1, the leader.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func available(_ wanted: Int, _ work: String, _ recorder: RunRecorder) async throws -> Int {
        guard wanted > 1, let free = try await FreeConnections(connection: connection).count(), free < wanted - 1
        else { return wanted }
        let left = counted(free, "connection")
        recorder.found(.note("\(free + 1) of \(wanted) \(work) at once: the server has \(left) left"))
        return free + 1
    }

    /// How many members a restore has for some work.
    ///
    /// - Parameters:
    ///   - sizes: Of all pieces, in bytes.
    ///   - leader: The run's session; no transaction is open.
    ///   - work: What the members do, for a note when the server has too few connections.
    /// - Returns: At least 1, the leader.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    static func members(for sizes: [Int64], of leader: DatabaseSession, _ work: String) async throws -> Int {
        let limit = WorkerLimit(settings: leader.settings, connection: leader.connection)
        let wanted = limit.decide(try await limit.most(for: sizes.count), sizes)
        guard wanted > 1 else { return 1 }
        return try await leader.withTransaction(.catalog) { try await limit.available(wanted, work, leader.recorder) }
    }
}
