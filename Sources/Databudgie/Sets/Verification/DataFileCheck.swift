import Compression
import Foundation
import Storage
import Synchronization

/// The check of one data file, which several tasks may read in parts.
final class DataFileCheck: Sendable {
    /// A run of segments that is read at once, or a file without recorded segments.
    struct Part: Sendable {
        /// The check that it belongs to.
        let check: DataFileCheck
        /// The numbers of the segments, from 0; nil for the whole file.
        let segments: Range<Int>?
    }

    private struct State {
        var remainingParts: Int
        var startedAt: ContinuousClock.Instant?
        var info: FileInfo?
        var records = 0
        var bytes: Int64 = 0
    }

    /// A file is read in parts of at least so many stored bytes: one large file does not keep one task alone busy.
    static let partSize: Int64 = 256 << 20

    let file: SetFile
    let level: SetVerification.Level
    let collector: DamageCollector
    let meter: TransferMeter
    private let table: SetRecord.Table
    private let recorded: SetRecord.DataFile
    private let job: JobID
    private let onEvent: @Sendable (RunEvent) -> Void
    private let ranges: [Range<Int>]?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - file: The file.
    ///   - table: Its table in the record.
    ///   - recorded: What the record says of it.
    ///   - level: How thoroughly it is read.
    ///   - collector: Gets what is found.
    ///   - partSize: The stored bytes of a part, at least.
    ///   - onEvent: Receives progress.
    init(
        _ file: SetFile,
        of table: SetRecord.Table,
        _ recorded: SetRecord.DataFile,
        level: SetVerification.Level,
        _ collector: DamageCollector,
        partSize: Int64,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) {
        (self.file, self.table, self.recorded, self.level, self.collector) = (file, table, recorded, level, collector)
        let job = JobID(.rows, of: table.label, number: file.tableNumber ?? 0)
        (self.job, self.onEvent) = (job, onEvent)
        meter = TransferMeter { onEvent(.progressed(job, $0)) }
        let ranges = recorded.segments.map { Self.ranges($0, partSize: partSize) }
        self.ranges = ranges
        state = Mutex(State(remainingParts: ranges?.count ?? 1))
    }

    /// The job as planned.
    var plannedJob: PlannedJob { PlannedJob(job, estimatedRows: table.rows, location: file.path) }

    /// What can be read at the same time.
    var parts: [Part] {
        guard let ranges else { return [Part(check: self, segments: nil)] }
        return ranges.map { Part(check: self, segments: $0) }
    }

    /// The names of the columns, as the record has them.
    var columns: [String] { table.columns.map(\.name) }

    private static func ranges(_ segments: [SetRecord.Segment], partSize: Int64) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var bytes: Int64 = 0
        for (number, segment) in segments.enumerated() {
            bytes += segment.bytes
            guard bytes >= partSize || number == segments.count - 1 else { continue }
            ranges.append(start..<number + 1)
            (start, bytes) = (number + 1, 0)
        }
        return ranges.isEmpty ? [0..<0] : ranges
    }

    // MARK: - Reading

    /// Looks a file up that is to be read in several parts, because none of them would see its size.
    ///
    /// - Returns: The parts to read; none when the file is not there.
    /// - Throws: What would fail for every file; `CancellationError`.
    func open(_ storages: StorageRouter) async throws -> [Part] {
        guard parts.count > 1 else { return parts }
        try await collector.examining(file) { path in
            guard let info = try await storages.storage(for: path).info(path) else {
                collector.noteRead()
                return collector.add("the file is missing", of: file)
            }
            note(info)
        }
        guard state.withLock({ $0.info == nil }) else { return parts }
        onEvent(.failed(failure))
        return []
    }

    /// Reads a part, and ends the file with the last one.
    ///
    /// - Throws: What would fail for every file; `CancellationError`.
    @concurrent
    func read(_ part: Part, _ storages: StorageRouter) async throws {
        let isFirst = state.withLock { state in
            defer { state.startedAt = state.startedAt ?? .now }
            return state.startedAt == nil
        }
        if isFirst { onEvent(.started(job)) }
        try await collector.examining(file) { path in
            let storage = storages.storage(for: path)
            if let segments = part.segments {
                try await read(segments, path, storage)
            } else {
                try await readUnhashed(path, storage)
            }
        }
        let isLast = state.withLock { state in
            state.remainingParts -= 1
            return state.remainingParts == 0
        }
        if isLast { end() }
    }

    private func read(_ numbers: Range<Int>, _ path: StoragePath, _ storage: any Storage) async throws {
        guard let segments = recorded.segments, Self.fit(segments, into: recorded.bytes) else {
            throw DatabudgieError(
                .dataFile,
                "the segments in the set record do not add up to its \(recorded.bytes) bytes"
            )
        }
        var reading = SegmentReading(self, segments, numbers, try compression())
        let bytes: StorageBytes
        if parts.count == 1 {
            bytes = try await storage.read(path)
            note(bytes.info)
        } else {
            let size = state.withLock { $0.info?.size ?? 0 }
            guard let range = reading.range(within: size) else { return }
            bytes = try await storage.read(path, range: range)
        }
        for try await chunk in bytes {
            try reading.add(chunk)
            // All of the file is read, because its storage compares it with a checksum then; but not what follows it.
            if reading.isComplete, bytes.info.size > file.bytes { break }
        }
        reading.finish()
    }

    /// Reads a file of which no segments are recorded, as a restore does.
    private func readUnhashed(_ path: StoragePath, _ storage: any Storage) async throws {
        let place = FileInfo(path: path, size: file.bytes, modified: .distantPast, version: nil)
        let header = try await DataFileHeader(storage: storage).read(place).header
        let bytes = try await storage.read(path)
        note(bytes.info)
        onEvent(.found(collector.noteUnhashed(file)))
        let stream = ImportStream(bytes, of: path, header: header, meter: meter)
        let columns = columns.isEmpty ? header.columns : columns
        var fields = level == .rows ? CSVFieldCounter(header) : nil
        var size: Int64 = 0
        for try await chunk in stream.records(keeping: []) {
            size += Int64(chunk.count)
            fields?.add(chunk)
        }
        meter.add(rows: stream.rows)
        state.withLock { ($0.records, $0.bytes) = (stream.rows + 1, size) }
        guard let fields else { return }
        for message in ColumnsCheck.damages(header, columns: columns) + fields.damages(columns: header.columns.count) {
            collector.add(message, of: file)
        }
    }

    private func note(_ info: FileInfo) {
        state.withLock { $0.info = info }
        collector.checkSize(info.size, of: file)
    }

    private func compression() throws(DatabudgieError) -> CompressionFormat? {
        guard let name = recorded.compression else { return nil }
        if let format = CompressionFormat(rawValue: name) { return format }
        throw DatabudgieError(
            .dataFile,
            "the set record names the compression '\(name)', which this version does not know"
        )
    }

    /// Whether segments follow one another through all of a file; a damaged record may say anything.
    private static func fit(_ segments: [SetRecord.Segment], into bytes: Int64) -> Bool {
        var end: Int64 = 0
        for segment in segments {
            guard segment.offset == end, segment.bytes >= 0, segment.bytes <= bytes - end else { return false }
            end += segment.bytes
        }
        return end == bytes
    }

    // MARK: - Results

    /// Takes what a segment holds.
    ///
    /// - Parameters:
    ///   - number: The segment's number, from 0.
    ///   - segment: What the record says.
    ///   - contents: What was read.
    func ended(_ number: Int, _ segment: SetRecord.Segment, _ contents: SegmentCheck.Contents) {
        for message in contents.damages {
            collector.add(message, of: file, segment: number + 1, at: segment.offset)
        }
        meter.add(rows: contents.records - (number == 0 ? 1 : 0))
        state.withLock { state in
            state.records += contents.records
            state.bytes += contents.bytes
        }
    }

    private func end() {
        let (records, bytes, info, startedAt) = state.withLock { ($0.records, $0.bytes, $0.info, $0.startedAt) }
        if level == .rows, !collector.isDamaged(file) {
            if let rows = table.rows, rows != records - 1 {
                collector.add("the file has \(records - 1) rows, and the set record says \(rows)", of: file)
            }
            if let recordedBytes = table.bytes, recordedBytes != bytes {
                collector.add("the file has \(bytes) bytes of CSV, and the set record says \(recordedBytes)", of: file)
            }
        }
        guard !collector.isDamaged(file) else { return onEvent(.failed(failure)) }
        onEvent(
            .finished(
                JobOutcome(job: job, totals: meter.totals, file: info, duration: startedAt.map { .now - $0 } ?? .zero)
            )
        )
    }

    private var failure: JobFailure { JobFailure(job, message: collector.failure(of: file)) }
}

extension CSVFieldCounter {
    /// Expects as many fields as a file's header has.
    fileprivate init(_ header: CSVHeader) {
        self.init(columns: header.columns.count, endsWithCarriageReturn: header.endsWithCarriageReturn)
    }
}
