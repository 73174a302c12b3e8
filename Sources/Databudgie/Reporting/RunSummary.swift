package import Foundation

/// A run in a few words and numbers, as the last line of `--log-format json` and every notification have it.
///
/// It holds no words of errors, which can quote values of rows, and no part of a connection but the name of the database.
package struct RunSummary: Sendable, Encodable {
    /// How the run ended.
    package enum Status: String, Sendable, Encodable {
        /// Everything was done.
        case complete
        /// Some tables failed, or some rows were rejected.
        case partial
        /// The run failed as a whole.
        case failed
        /// A signal ended the run.
        case interrupted
    }

    /// Something that failed, and what can be said of it anywhere.
    package struct Failure: Sendable, Encodable {
        /// The table, or the location of an unnamed query; nil for the run as a whole.
        package let table: String?
        /// `sequences` or `definition`, if it was not the rows that failed.
        package let subject: String?
        /// What happened, without a full stop.
        package let reason: String
        /// The five characters of the SQLSTATE, if the server reported the error.
        package let sqlstate: String?
    }

    /// The most failures that a summary names; their number is not limited.
    static let mostFailures = 20

    let time: Date
    /// `summary` in a log; `start`, `success` or `failure` in a notification.
    var event = "summary"
    let action: String
    private(set) var status: Status?
    private(set) var finished: Int?
    private(set) var skipped: Int?
    private(set) var failed: Int?
    private(set) var definitions: Int?
    private(set) var rejected: Int?
    private(set) var rows: Int?
    private(set) var bytes: Int64?
    private(set) var fileBytes: Int64?
    private(set) var seconds: Double?
    private(set) var dryRun: Bool?
    private(set) var set: String?
    private(set) var effect: String?
    private(set) var failures: [Failure]?
    /// The database's name, the configuration's environment, and this machine; in notifications.
    var database: String?
    var environment: String?
    var host: String?
    /// All of it as a sentence; in notifications.
    var text: String?

    /// The summary of a run that begins.
    init(_ kind: RunKind, at time: Date) {
        self.time = time
        action = kind.rawValue
    }

    /// The summary of a run that came to its end.
    ///
    /// - Parameters:
    ///   - report: What the run has done.
    ///   - time: When it ended.
    package init(_ report: RunReport, at time: Date) {
        self.init(report.kind, at: time)
        status = report.isComplete ? .complete : .partial
        (finished, skipped, failed) = (report.finished.count, report.skipped.count, report.failed.count)
        definitions = report.definitions.isEmpty ? nil : report.definitions.count
        rejected = report.rejectedRows > 0 ? report.rejectedRows : nil
        add(report.finished.reduce(.zero) { $0 + $1.totals }, report.duration)
        dryRun = report.isDryRun
        set = report.set
        effect = report.effect?.rawValue
    }

    /// The summary of a run that did not come to its end.
    ///
    /// - Parameters:
    ///   - kind: What the run does.
    ///   - tally: What had been done by then.
    ///   - error: What ended it; nil for a signal.
    ///   - duration: How long it took.
    ///   - time: When it ended.
    init(
        _ kind: RunKind,
        _ tally: RunTally.Counts,
        endedBy error: (any Error)?,
        after duration: Duration,
        at time: Date
    ) {
        self.init(kind, at: time)
        status = error == nil ? .interrupted : .failed
        (finished, skipped, failed) = (tally.finished, tally.skipped, tally.failures.count)
        add(tally.totals, duration)
        dryRun = false
        effect = (error as? DatabudgieError)?.effect?.rawValue
        name(tally.failures, endedBy: error)
    }

    private mutating func add(_ totals: TransferTotals, _ duration: Duration) {
        (rows, bytes, fileBytes) = (totals.rows, totals.bytes, totals.fileBytes)
        seconds = duration.inRoundedSeconds
    }

    /// Names what failed, the run first.
    mutating func name(_ failed: [JobFailure], endedBy error: (any Error)? = nil) {
        let run = error.map { Failure(FailureSummary($0), job: nil) }
        let jobs = failed.prefix(Self.mostFailures).map {
            Failure($0.error.map(FailureSummary.init) ?? .consequence, job: $0.job)
        }
        let all = (run.map { [$0] } ?? []) + jobs
        failures = all.isEmpty ? nil : all
    }

    /// The object on one line.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        // Nothing in the object can fail to encode: no infinite numbers, no custom encoding.
        guard let data = try? encoder.encode(self) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}

extension RunSummary.Failure {
    /// The longest name of a table that is repeated, in Unicode scalars; a location has no limit of its own.
    private static let longestName = 200

    fileprivate init(_ failure: FailureSummary, job: JobID?) {
        table = job.map { String(String.UnicodeScalarView($0.name.unicodeScalars.prefix(Self.longestName))) }
        subject =
            switch job?.subject {
            case .sequences, .definition: job?.subject.rawValue
            case .rows, .query, nil: nil
            }
        reason = failure.sentence
        sqlstate = failure.sqlState
    }

    /// The failure in a sentence without a full stop.
    fileprivate var sentence: String {
        guard let table else { return reason }
        return "\(table)\(subject.map { " (\($0))" } ?? ""): \(reason)"
    }
}

extension RunSummary {
    /// How many failures a sentence names.
    private static let mostInSentence = 3

    /// The run in a sentence without a full stop, once everything else is known.
    var sentence: String {
        let name = action + (database.map { " of the database \($0)" } ?? "") + (environment.map { " (\($0))" } ?? "")
        let machine = host.map { " on \($0)" } ?? ""
        let counts = [
            counted(finished ?? 0, "table"), counted(rows ?? 0, "row"),
            "\(bytes ?? 0) bytes in \(seconds ?? 0) seconds",
        ].joined(separator: ", ")
        let saved = set.map { "; set \($0)" } ?? ""
        switch status {
        case nil: return "\(name) has begun\(machine)"
        case .complete: return "\(name) is complete\(machine): \(counts)\(saved)"
        case .interrupted: return "\(name) was interrupted\(machine): \(counts)"
        case .failed: return "\(name) failed\(machine): \(reasons)"
        case .partial:
            let refused = rejected.map { ", \(counted($0, "row")) rejected" } ?? ""
            let failed = "\(failed ?? 0) failed\(refused)"
            return "\(name) finished with failures\(machine): \(counts), \(failed)\(saved)"
                + (failures == nil ? "" : ": \(reasons)")
        }
    }

    private var reasons: String {
        let all = failures ?? []
        let shown = all.prefix(Self.mostInSentence).map(\.sentence)
        let rest = max(all.count, failed ?? 0) - shown.count
        return shown.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }
}
