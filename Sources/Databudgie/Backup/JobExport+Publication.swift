import Storage

/// The data file of a job whose rows have been read.
enum ExportedFile: Sendable {
    case published(FileInfo)
    /// It is small, and still in memory.
    case held([UInt8])
}

extension JobExport {
    /// Publishes what is left of a job's files, and returns what was exported.
    typealias Publication = @Sendable () async throws -> JobOutcome

    typealias ValuesFile = (info: FileInfo, stored: StoredFile)

    /// The most bytes of a data file that are held in memory.
    private static let heldBytes = 256 << 10

    /// Runs the query, and leaves a small file to be published while the connection reads the next table.
    ///
    /// A larger file is published at once. The order of files is that of ``run()``.
    /// - Returns: Publishes what is left, and removes the file of values when that fails; throws `StorageError`.
    /// - Throws: As ``run()`` does.
    func read() async throws -> Publication {
        let start = ContinuousClock.now
        try refuseProblem()
        let sequences = try sequenceValues()
        guard job.includesRows else { return { try await publish(sequences, since: start) } }
        var values: ValuesFile?
        do {
            let export = try await exportBreakingDeadlocks(holding: Self.heldBytes) {
                // Once, however often the rows are read.
                if values == nil { values = try await write(sequences) }
            }
            let valuesFile = values
            return { try await publish(export, valuesFile, sequences, since: start) }
        } catch {
            if values != nil { await removeSequencesFile() }
            throw error
        }
    }

    /// Writes the data file, or keeps it in memory when it is small.
    ///
    /// - Parameters:
    ///   - stream: Its bytes.
    ///   - limit: The most bytes that are kept in memory; less than 0: none, and an empty file is written, too.
    ///   - beforeWriting: Runs before anything is written.
    /// - Returns: Where the file is.
    /// - Throws: What the stream throws; `StorageError`.
    func write<Rows>(
        _ stream: ExportStream<Rows>,
        holding limit: Int,
        _ beforeWriting: () async throws -> Void
    ) async throws -> ExportedFile {
        guard limit >= 0 else { return .published(try await publish(stream)) }
        var beginning: [UInt8] = []
        var rest = stream.makeAsyncIterator()
        while let chunk = try await rest.next() {
            beginning += chunk
            guard beginning.count <= limit else {
                try await beforeWriting()
                return .published(try await publish(BegunBytes(stream, beginning: beginning, rest: rest)))
            }
        }
        return .held(beginning)
    }

    private func publish<Bytes: AsyncSequence & Sendable>(_ bytes: Bytes) async throws -> FileInfo
    where Bytes.Element == [UInt8] {
        let file = try await written.write(job.path, isUnique: job.isUniquePath, isData: true, from: bytes)
        await FailPoint.reached(.dataFilePublished)
        return file
    }

    /// Publishes the values of a job without rows.
    func publish(
        _ sequences: [SequenceValue],
        since start: ContinuousClock.Instant
    ) async throws -> JobOutcome {
        let values = try await write(sequences)
        var outcome = outcome(.zero, values?.info, sequences, since: start)
        outcome.sequencesFile = values?.stored
        return outcome
    }

    /// Publishes what is not published yet of a job whose rows have been read.
    ///
    /// - Parameters:
    ///   - export: The rows.
    ///   - valuesFile: The file of values, if it is written already.
    ///   - sequences: The values.
    ///   - start: When the job began.
    /// - Returns: What was exported.
    /// - Throws: `StorageError`.
    func publish(
        _ export: Export,
        _ valuesFile: ValuesFile?,
        _ sequences: [SequenceValue],
        since start: ContinuousClock.Instant
    ) async throws -> JobOutcome {
        let (meter, columns, exported, segments) = export
        let (file, values): (FileInfo, ValuesFile?)
        switch exported {
        case .published(let info): (file, values) = (info, valuesFile)
        case .held(let bytes):
            values = try await write(sequences)
            do {
                file = try await publish(SingleChunk(bytes))
            } catch {
                await removeSequencesFile()
                throw error
            }
        }
        var outcome = outcome(meter.totals, file, sequences, since: start)
        outcome.columns = columns
        outcome.segments = segments
        outcome.sequencesFile = values?.stored
        return outcome
    }
}

/// The bytes of a file whose beginning has been read already.
///
/// `@unchecked Sendable`: only whoever writes the file reads on, one chunk after the other, and nobody else has the iterator.
private struct BegunBytes<Rest: AsyncIteratorProtocol>: AsyncSequence, @unchecked Sendable
where Rest.Element == [UInt8] {
    typealias Element = [UInt8]

    let beginning: [UInt8]
    let rest: Rest
    private let stream: any ForeseeableBytes

    init(_ stream: any ForeseeableBytes, beginning: [UInt8], rest: Rest) {
        (self.stream, self.beginning, self.rest) = (stream, beginning, rest)
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(beginning: beginning, rest: rest)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var beginning: [UInt8]?
        fileprivate var rest: Rest

        mutating func next() async throws -> [UInt8]? {
            if let bytes = beginning {
                beginning = nil
                return bytes
            }
            return try await rest.next(isolation: #isolation)
        }
    }
}

extension BegunBytes: ForeseeableBytes {
    var expectedBytes: Int64? { stream.expectedBytes }
}
