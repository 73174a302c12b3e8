public import Foundation

/// What a set record says of its set as a whole, without its tables and files.
public struct SetSummary: Sendable, Equatable, Decodable {
    /// What wrote the record: `databudgie 3.0.0`.
    public var tool: String
    /// Whether everything that was asked for is there.
    public var status: SetRecord.Status
    /// Whether all rows are from one moment.
    public var consistency: SetRecord.Consistency
    /// When the run began, in whole seconds.
    public var startedAt: Date
    /// When the last file was complete, in whole seconds.
    public var finishedAt: Date
    /// The database that was read; nil for a set that was adopted from files.
    public var source: SetRecord.Source?
    /// Sums over all tables.
    public var totals: SetRecord.Totals
    /// The set whose files have replaced files of this one; nil while all of them are its own.
    public var supersededBy: String?

    /// Everything that was asked for is there, and no later set has replaced a file of it.
    public var isWhole: Bool { status == .complete && supersededBy == nil }

    /// The keys of a record that are needed.
    static let keys = Set(CodingKeys.allCases.map(\.rawValue) + ["format"])

    enum CodingKeys: String, CodingKey, CaseIterable {
        case tool, status, consistency, source, totals
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case supersededBy = "superseded_by"
    }
}
