public import Foundation

/// What lies in a set catalog while a backup is under way: it claims the set's id.
///
/// A run that crashes leaves it behind.
public struct RunningMark: Sendable, Codable, Equatable {
    /// The version of the mark's layout, that of set records.
    public var format = SetRecord.currentFormat
    /// The id of the set that the run writes.
    public var id: String
    /// What writes it: `databudgie 3.0.0`.
    public var tool: String
    /// The name of the machine.
    public var host: String
    /// The process on that machine.
    public var pid: Int
    /// When the run began, in whole seconds.
    public var startedAt: Date
    /// The set's files are being removed, and no run needs files of other sets; nil while a backup writes them.
    public var removes: Bool?

    enum CodingKeys: String, CodingKey {
        case format, id, tool, host, pid, removes
        case startedAt = "started_at"
    }
}

extension RunningMark {
    /// The age after which a mark counts as left behind, in seconds: one day.
    static let longestRun: TimeInterval = 86_400

    /// Whether the run was killed: its process is gone from this machine, or it began more than a day ago.
    ///
    /// - Parameters:
    ///   - now: The moment of the question.
    ///   - host: The name of this machine.
    /// - Returns: False while the run may be under way.
    func isAbandoned(at now: Date, host: String = ProcessInfo.processInfo.hostName) -> Bool {
        if now.timeIntervalSince(startedAt) > Self.longestRun { return true }
        return host.hasBytes(of: self.host) && !isAlive
    }

    /// Whether a process with the number exists; one of another user does, too.
    private var isAlive: Bool {
        guard let number = pid_t(exactly: pid), number > 0 else { return false }
        return kill(number, 0) == 0 || errno == EPERM
    }

    /// The mark of this process.
    ///
    /// - Parameters:
    ///   - id: The id of the set.
    ///   - startedAt: When the run began.
    ///   - removes: The set's files are being removed.
    init(id: String, startedAt: Date, removes: Bool? = nil) {
        self.init(
            id: id,
            tool: DatabudgieVersion.tool,
            host: ProcessInfo.processInfo.hostName,
            pid: Int(ProcessInfo.processInfo.processIdentifier),
            startedAt: startedAt,
            removes: removes
        )
    }
}
