import Foundation

/// What monitoring wants to know of the runs of one kind, in Prometheus's text format
/// (Prometheus documentation, "Exposition formats").
struct RunMetrics: Sendable {
    /// A value with the time until which it is true: until another run.
    private let samples: [(metric: Metric, value: Double)]
    private let labels: [(name: String, value: String)]
    private let kind: RunKind

    /// What is measured; its name follows that of the run's kind.
    enum Metric: String, CaseIterable {
        case lastSuccess = "last_success_timestamp_seconds"
        case newestSet = "newest_complete_set_timestamp_seconds"
        case lastRun = "last_run_timestamp_seconds"
        case duration = "last_run_duration_seconds"
        case success = "last_run_success"
        case set = "last_run_set_timestamp_seconds"
        case tables = "last_run_tables"
        case failedTables = "last_run_failed_tables"
        case skippedTables = "last_run_skipped_tables"
        case rows = "last_run_rows"
        case bytes = "last_run_uncompressed_bytes"
        case fileBytes = "last_run_stored_bytes"

        /// Its name in a file.
        func name(_ kind: RunKind) -> String { "databudgie_\(kind.rawValue)_\(rawValue)" }

        /// One sentence; it is the same in all files, as the collector wants it.
        func help(_ kind: RunKind) -> String {
            let name = kind.rawValue
            return switch self {
            case .lastSuccess: "When the last \(name) that was complete ended, in Unix time."
            case .newestSet: "The moment of the newest complete backup set, in Unix time."
            case .lastRun: "When the last \(name) ended, in Unix time."
            case .duration: "How long the last \(name) took."
            case .success:
                "Whether the last \(name) was complete: 1, or 0 if it failed, was interrupted or has failed tables."
            case .set: "The moment of the backup set that the last \(name) wrote or read, in Unix time."
            case .tables: "Tables that the last \(name) finished."
            case .failedTables: "Tables that failed in the last \(name)."
            case .skippedTables: "Tables that the last \(name) skipped on purpose."
            case .rows: "Rows that the last \(name) moved."
            case .bytes: "Bytes of CSV that the last \(name) moved, uncompressed."
            case .fileBytes: "Bytes of the data files that the last \(name) wrote or read, as stored."
            }
        }
    }

    /// Gathers the values.
    ///
    /// - Parameters:
    ///   - summary: How the run ended.
    ///   - kind: What it did.
    ///   - newest: The newest complete set; nil when there is none.
    ///   - earlier: What the file said before this run.
    ///   - labels: By name; the values are anything.
    init(
        _ summary: RunSummary,
        of kind: RunKind,
        newest: NewestSet?,
        after earlier: EarlierMetrics,
        labels: [(name: String, value: String)]
    ) {
        self.kind = kind
        self.labels = labels
        let isSuccess = summary.status == .complete
        let ended = summary.time.timeIntervalSince1970
        let lastSuccess =
            isSuccess
            ? ended
            : [earlier.value(of: .lastSuccess, kind), newest?.finishedAt?.timeIntervalSince1970].compactMap(\.self)
                .max()
        let values: [Metric: Double?] = [
            .lastSuccess: lastSuccess,
            .newestSet: newest?.moment.timeIntervalSince1970,
            .lastRun: ended,
            .duration: summary.seconds ?? 0,
            .success: isSuccess ? 1 : 0,
            .set: summary.set.flatMap { RunTimestamp(id: $0)?.moment.timeIntervalSince1970 },
            .tables: summary.finished.map(Double.init),
            .failedTables: summary.failed.map(Double.init),
            .skippedTables: summary.skipped.map(Double.init),
            .rows: summary.rows.map(Double.init),
            .bytes: summary.bytes.map(Double.init),
            .fileBytes: summary.fileBytes.map(Double.init),
        ]
        samples = Metric.allCases.compactMap { metric in (values[metric] ?? nil).map { (metric, $0) } }
    }

    /// The lines of the file, each with its line break.
    var text: String {
        let labels = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        return samples.map { metric, value in
            let name = metric.name(kind)
            return """
                # HELP \(name) \(metric.help(kind))
                # TYPE \(name) gauge
                \(name){\(labels)} \(Self.number(value))

                """
        }.joined()
    }

    /// A label's value: a backslash, a quote and a line break have escapes there, and nothing else.
    private static func escaped(_ value: String) -> String {
        String(
            decoding: value.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "\\"): Array(#"\\"#.utf8)
                case UInt8(ascii: "\""): Array(#"\""#.utf8)
                case UInt8(ascii: "\n"): Array(#"\n"#.utf8)
                default: [byte]
                }
            },
            as: UTF8.self
        )
    }

    /// A whole number without a fraction, and other numbers to the millisecond.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : String(rounded)
    }
}

/// The newest complete set of a catalog.
struct NewestSet: Sendable {
    /// The moment that its id is.
    let moment: Date
    /// When its last file was complete; nil for what an earlier file says.
    let finishedAt: Date?
}
