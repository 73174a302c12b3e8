import Foundation

/// What became of the verification of a set.
public struct VerifiedSet: Sendable {
    /// What was found.
    @nonexhaustive
    public enum Outcome: Sendable, Equatable {
        /// Everything is as the record says.
        case ok
        /// Something is not.
        case damaged([SetVerification.Damage])
        /// The files are, but what was restored from them is not.
        case failed([SetVerification.Damage])
        /// A newer set has replaced files of this one, so it is not a set any more.
        case superseded(by: String)
        /// It was removed while it was verified.
        case removed
        /// Some of its files are archived, and have to be restored before they can be read; how many.
        case archived(files: Int)
        /// Its record cannot be used; why.
        case unreadable(String)
    }

    /// The id of the set.
    public let id: String
    /// How thoroughly it was verified.
    public internal(set) var level: SetVerification.Level
    /// What was found.
    public internal(set) var outcome = Outcome.ok
    /// How the source differs from the restored set; not stored, because the source may have changed since the backup.
    public internal(set) var differences: [SetVerification.Damage] = []
    /// How many files the set has.
    public internal(set) var files = 0
    /// The size of these files as the record says, in bytes.
    public internal(set) var fileBytes: Int64 = 0
    /// Not everything that the backup was asked for is in the set.
    public internal(set) var isPartial = false
    /// How many files have no recorded hashes, so that only their form could be verified.
    public internal(set) var unhashedFiles = 0
    /// What was read of data files.
    public internal(set) var totals = TransferTotals.zero
    /// The result is stored beside the record.
    public internal(set) var isStored = false
    /// Wall time of the verification.
    public internal(set) var duration = Duration.zero

    /// Something is wrong with the set, it differs from its source, or it could not be verified.
    public var hasFindings: Bool {
        switch outcome {
        case .damaged, .failed, .archived, .unreadable: true
        case .ok, .superseded, .removed: !differences.isEmpty
        }
    }

    /// A set of which nothing is known.
    init(id: String, level: SetVerification.Level, unreadable message: String) {
        (self.id, self.level) = (id, level)
        outcome = .unreadable(message)
    }

    /// A set that is to be verified.
    init(id: String, level: SetVerification.Level, _ record: SetRecord) {
        (self.id, self.level) = (id, level)
        let files = record.files
        self.files = files.count
        fileBytes = files.reduce(0) { $0 &+ $1.bytes }
        isPartial = record.status == .partial
    }

    /// What is stored beside the record; nil when nothing was verified.
    func result(at moment: Date) -> SetVerification? {
        let (status, damages): (SetVerification.Status, [SetVerification.Damage])
        switch outcome {
        case .ok: (status, damages) = (.ok, [])
        case .damaged(let found): (status, damages) = (.damaged, found)
        case .failed(let found): (status, damages) = (.failed, found)
        case .superseded, .removed, .archived, .unreadable: return nil
        }
        return SetVerification(
            id: id,
            tool: DatabudgieVersion.tool,
            level: level,
            verifiedAt: moment,
            status: status,
            findings: Array(damages.prefix(SetVerification.maximumFindings)),
            findingCount: damages.count,
            unhashedFiles: unhashedFiles == 0 ? nil : unhashedFiles
        )
    }
}
