import Compression
import Postgres
import Storage

/// Exports a large table range by range; each range may be another member's.
extension JobExport {
    /// What the scan of a range needs: blocks in their order, and no others (TID range scan).
    static let scanSettings = [
        "enable_seqscan": "off", "enable_tidscan": "on", "max_parallel_workers_per_gather": "0",
    ]

    /// Exports some blocks into a piece of the file; the first export of the job also writes the values of its sequences.
    ///
    /// - Parameters:
    ///   - index: Which range.
    ///   - split: The job.
    /// - Returns: What was exported.
    /// - Throws: As ``run()`` does; ``SplitJob/Stopped``.
    func run(_ index: Int, of split: SplitJob) async throws -> ExportedRange {
        let opened = try await split.open { try await open(split) }
        return try await breakingDeadlocks(settings.merging(Self.scanSettings) { $1 }) {
            try await export(index, of: split, to: opened.file)
        }
    }

    private func open(_ split: SplitJob) async throws -> SplitJob.Opened {
        let start = ContinuousClock.now
        let sequences = try sequenceValues()
        let sequencesFile = try await write(sequences)
        do {
            let (path, isUnique) = (job.path, job.isUniquePath)
            let file = try await written.writePieces(path, isUnique: isUnique, count: split.blocks.count)
            return SplitJob.Opened(
                start: start,
                sequences: sequences,
                sequencesFile: sequencesFile?.stored,
                file: file
            ) {
                await file.pieces.discard()
                await removeSequencesFile()
            }
        } catch {
            await removeSequencesFile()
            throw error
        }
    }

    private func export(_ index: Int, of split: SplitJob, to file: FileInPieces) async throws -> ExportedRange {
        try await connection.setMaskKeys(of: job.query.masks, session.settings.maskKey)
        let (blocks, isFirst) = (split.blocks[index], index == 0)
        guard let query = job.query.sql(of: blocks) else {
            throw DatabudgieError(.internalInconsistency, "a query is to be exported in ranges")
        }
        let meter = TransferMeter { session.recorder.progressed(job.id, split.progressed(index, $0)) }
        var rows: CopyOut?
        do {
            let columns = isFirst ? try await describe() : []
            let copy = try await connection.copyOut(
                "copy (\(query)\n) to stdout with (format csv, header \(isFirst))",
                hasHeader: isFirst
            )
            rows = copy
            let stream = try ExportStream(
                RowsOfSplitJob(base: copy, split: split),
                as: job.format,
                part: isFirst ? .first : .later,
                meter: meter,
                beforeEnd: { try await checkRewrites() }
            )
            try await file.pieces.write(index, from: stream)
            _ = split.progressed(index, meter.totals)
            return ExportedRange(columns: columns, totals: meter.totals, segments: stream.segments)
        } catch let error as PostgresError {
            let error = mayQuoteMaskedValues ? error.withoutMaskedValues : error
            let rowsBefore = rows?.receivedRows ?? meter.totals.rows
            throw ExportFailure.explained(error, rowsBefore: rowsBefore, from: blocks.start)
        }
    }

    /// Publishes the file of a job whose ranges are all exported.
    ///
    /// - Parameters:
    ///   - split: The job.
    ///   - ranges: In their order.
    /// - Returns: What was exported.
    /// - Throws: `StorageError`; `CancellationError`.
    func publish(_ split: SplitJob, _ ranges: [ExportedRange]) async throws -> JobOutcome {
        let opened = try await split.open { try await open(split) }
        let (segments, totals, end) = ranges.joined(as: job.format)
        await FailPoint.reached(.dataFileUnpublished)
        let file = try await opened.file.publish(end)
        split.end()
        await FailPoint.reached(.dataFilePublished)
        var outcome = outcome(totals, file, opened.sequences, since: opened.start)
        outcome.columns = ranges.first?.columns ?? []
        outcome.segments = segments
        outcome.sequencesFile = opened.sequencesFile
        return outcome
    }
}

/// The rows of a range, which end when another range has failed.
private struct RowsOfSplitJob: AsyncSequence, Sendable {
    typealias Element = RowChunk

    let base: CopyOut
    let split: SplitJob

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), split: split) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: CopyOut.AsyncIterator
        fileprivate let split: SplitJob

        mutating func next() async throws -> RowChunk? {
            guard !split.hasFailed else { throw SplitJob.Stopped() }
            return try await base.next(isolation: #isolation)
        }
    }
}
