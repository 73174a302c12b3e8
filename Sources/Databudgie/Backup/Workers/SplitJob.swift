import Compression
import Crypto
import Postgres
import Storage
import Synchronization

/// A large table that members of a run export together, a range of its blocks each, into one data file.
///
/// It fails as a whole, and once: by the first range that does.
final class SplitJob: Sendable {
    /// What has begun with the first range.
    struct Opened: Sendable {
        let start: ContinuousClock.Instant
        let sequences: [SequenceValue]
        let sequencesFile: StoredFile?
        let file: FileInPieces
        /// Leaves nothing of the job behind, if possible.
        let discard: @Sendable () async -> Void
    }

    /// What is to be done when a member has left the job.
    enum Step: Sendable {
        /// Others go on with it, or will.
        case othersContinue
        /// All ranges are there, in their order.
        case publish([ExportedRange])
        /// It has failed, and nobody works on it any more.
        case giveUp(any Error)
    }

    fileprivate struct State {
        var opening: Task<Opened, any Error>?
        var hasBegun = false
        /// How many members export a range.
        var running = 0
        var ranges: [Int: ExportedRange] = [:]
        var progress: [Int: TransferTotals] = [:]
        var failure: (any Error)?
        /// Published, or removed: nothing is left to do.
        var isOver = false
    }

    /// Another range has failed, so this one is of no use.
    struct Stopped: Error {}

    let job: BackupJob
    let blocks: [BlockRange]
    private let state = Mutex(State())

    init(_ job: BackupJob, _ blocks: [BlockRange]) {
        (self.job, self.blocks) = (job, blocks)
    }

    var hasFailed: Bool { state.withLock { $0.failure != nil } }
    /// A range of it was taken.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// A member takes a range.
    ///
    /// - Returns: False when another range has failed, so that this one is not exported.
    func enter() -> Bool {
        state.withLock { state in
            guard state.failure == nil else { return false }
            state.hasBegun = true
            state.running += 1
            return true
        }
    }

    /// What all ranges share; the first member that asks creates it, and the others wait.
    ///
    /// - Parameter body: Creates it, and leaves nothing behind when it throws.
    /// - Returns: The same for all.
    /// - Throws: What the body throws.
    func open(_ body: @escaping @Sendable () async throws -> Opened) async throws -> Opened {
        let task = state.withLock { state in
            let task = state.opening ?? Task { try await body() }
            state.opening = task
            return task
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            // One member is cancelled when all are.
            task.cancel()
        }
    }

    /// Notes how far a range is, from its beginning when it is exported again.
    ///
    /// - Returns: How far the job is.
    func progressed(_ range: Int, _ totals: TransferTotals) -> TransferTotals {
        state.withLock { state in
            state.progress[range] = totals
            return state.progress.values.reduce(.zero, +)
        }
    }

    /// A member has exported a range.
    func complete(_ index: Int, _ range: ExportedRange) -> Step {
        state.withLock { state in
            state.ranges[index] = range
            guard state.failure == nil, state.ranges.count == blocks.count else { return state.leave() }
            state.running -= 1
            return .publish(blocks.indices.compactMap { state.ranges[$0] })
        }
    }

    /// A member has not exported its range: another one will, unless the job has failed.
    func leave() -> Step { state.withLock { $0.leave() } }

    /// A range has failed, and the job with it.
    func fail(_ error: any Error) -> Step {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
            return state.leave()
        }
    }

    /// The file could not be published.
    func failLast(_ error: any Error) -> Step {
        state.withLock { state in
            state.failure = error
            return .giveUp(error)
        }
    }

    /// The file is there.
    func end() { state.withLock { $0.isOver = true } }

    /// Removes what there is of the file, unless it is published.
    func discard() async {
        let task = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver ? nil : state.opening
        }
        guard let task else { return }
        // A task of its own, because the run may have been cancelled.
        await Task {
            guard case .success(let opened) = await task.result else { return }
            await opened.discard()
        }.value
    }
}

/// A range that is exported.
struct ExportedRange: Sendable {
    let columns: [JobColumn]
    /// What has arrived of its rows, and the bytes that they have become.
    let totals: TransferTotals
    /// With the offsets within the range.
    let segments: [HashedSegment]
}

extension SplitJob.State {
    fileprivate mutating func leave() -> SplitJob.Step {
        running -= 1
        guard let failure, running == 0 else { return .othersContinue }
        return .giveUp(failure)
    }
}

extension [ExportedRange] {
    /// The whole file: its segments, what it holds, and what follows the last range.
    ///
    /// - Parameter format: The form of the file.
    /// - Returns: Offsets are those in the file; the bytes are not part of any range.
    func joined(as format: DataFileFormat) -> (segments: [HashedSegment], totals: TransferTotals, end: [UInt8]) {
        var (segments, totals): ([HashedSegment], TransferTotals) = ([], .zero)
        var content = FileTotals(rows: 0, bytes: 0)
        for range in self {
            for hashed in range.segments {
                var segment = hashed.segment
                segment.offset += totals.fileBytes
                content.rows += Int64(segment.rows)
                content.bytes += segment.uncompressedBytes
                segments.append(HashedSegment(segment: segment, sha256: hashed.sha256))
            }
            totals = totals + range.totals
        }
        let end = SegmentWriter.end(of: format.compression, content)
        if !end.isEmpty {
            let last = Segment(offset: totals.fileBytes, bytes: Int64(end.count), uncompressedBytes: 0, rows: 0)
            segments.append(HashedSegment(segment: last, sha256: [UInt8](SHA256.hash(data: end))))
        }
        totals.fileBytes += Int64(end.count)
        return (segments, totals, end)
    }
}
