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

    enum CodingKeys: String, CodingKey {
        case format, id, tool, host, pid
        case startedAt = "started_at"
    }
}
