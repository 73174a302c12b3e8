/// What a member of a run takes from the list.
enum JobPiece: Sendable {
    /// A job, all of it.
    case whole(BackupJob)
    /// A range of a large table, by its number.
    case range(SplitJob, Int)

    /// The job that it is, or is part of.
    var job: BackupJob {
        switch self {
        case .whole(let job): job
        case .range(let split, _): split.job
        }
    }

    /// The same with the whole job in place of its first range, unless one of its ranges was taken; nil for the others.
    var undivided: JobPiece? {
        guard case .range(let split, let index) = self, !split.hasBegun else { return self }
        return index == 0 ? .whole(split.job) : nil
    }
}
