import Storage

/// A file that several members load into a table that the run has created, each run of its segments by whoever is free.
struct DividedLoad: Sendable {
    /// Neighbouring segments that go to the server in one COPY.
    struct Run: Sendable {
        let segments: [SetRecord.Segment]
        /// The file's header is in it.
        let isFirst: Bool

        /// Where they are in the file, in bytes.
        var range: Range<Int64> {
            guard let first = segments.first, let last = segments.last else { return 0..<0 }
            return first.offset..<last.offset + last.bytes
        }

        /// Without the header.
        var rows: Int { segments.reduce(isFirst ? -1 : 0) { $0 + $1.rows } }
    }

    let job: RestoreJob
    /// In their order.
    let runs: [Run]

    /// So many runs for each member leave little to wait for at the end.
    private static let runsPerMember = 8

    /// Divides the file of a job; nil when it has no segments to divide it by.
    ///
    /// - Parameters:
    ///   - job: Loads rows into a table.
    ///   - members: How many members there are.
    ///   - rangeSize: The least size of a range of a table that is worth a member, in bytes.
    init?(_ job: RestoreJob, members: Int, rangeSize: Int64) {
        guard let segments = job.candidate?.source.part?.data?.segments else { return nil }
        let total = segments.reduce(0) { $0 + $1.uncompressedBytes }
        // A COPY costs little, unlike a range of a table that nobody else may read meanwhile.
        let size = max(total / Int64(members * Self.runsPerMember), rangeSize / 4)
        var runs: [[SetRecord.Segment]] = []
        var bytes: Int64 = 0
        for segment in segments {
            // The last segment of a compressed file has no rows.
            if let last = runs.indices.last, bytes < size || segment.rows == 0 {
                runs[last].append(segment)
            } else {
                runs.append([segment])
                bytes = 0
            }
            bytes += segment.uncompressedBytes
        }
        guard runs.count > 1 else { return nil }
        self.job = job
        self.runs = runs.enumerated().map { Run(segments: $0.element, isFirst: $0.offset == 0) }
    }
}

extension CheckedRestore {
    /// Whether several members may load a group's file at the same time.
    ///
    /// Each has a transaction of its own, so nobody may know the table, and nothing may depend on the order of its rows or on what
    /// was loaded before: it is new, it has no keys yet, and what an interrupted restore leaves of it is replaced by the next one.
    ///
    /// - Parameter group: Any.
    /// - Returns: False, too, when it is not worth it.
    func mayDivide(_ group: LoadGroup) -> Bool {
        guard group.jobs.count == 1, let job = group.jobs.first, let format = loader.formats[job.id] else {
            return false
        }
        return job.isNew && job.relation.kind == .table && format.canTruncate && !format.countMayDiffer
            && format.disabledTriggers.isEmpty && !loader.runsCodeOfUsers(job)
            && format.parts.isEmpty && format.merge == nil && job.maxRejects == 0 && loader.recordedRun == nil
            && group.deferredKeys.isEmpty && group.references.isEmpty
            && group.truncated.allSatisfy { $0.oid == job.relation.oid }
            && job.contentBytes >= 2 * session.settings.rangeSize
    }
}
