import Databudgie
import FoundationEssentials

/// Events as JSON objects, one a line, for `--log-format json`.
///
/// Keys are snake_case and stay as they are from version to version; new ones may be added.
enum EventJSON {
    /// The object of an event.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - time: When it happened, written as ISO 8601 in UTC.
    /// - Returns: One line without its line break.
    static func line(_ event: RunEvent, at time: Date) -> String {
        var object = Object(time: time)
        switch event {
        case .planned(let action, let tables):
            object.event = "planned"
            object.action = action.rawValue
            object.tables = tables.map {
                Object.Table(
                    number: $0.label.number,
                    table: $0.label.description,
                    estimatedRows: $0.estimatedRows,
                    location: $0.location
                )
            }
        case .recording(let transaction):
            object.event = "recording"
            object.action = transaction.action.rawValue
            object.manifest = transaction.manifest
            object.transaction = transaction.id
        case .started(let label):
            object.event = "started"
            object.set(label)
        case .progressed(let label, let totals):
            object.event = "progressed"
            object.set(label)
            object.set(TotalCounts(totals))
        case .finished(let report):
            object.event = "finished"
            object.set(report.label)
            object.set(TotalCounts(report.totals))
            object.path = report.path
            object.seconds = report.duration.inRoundedSeconds
            object.definition = report.hasDefinition ? true : nil
            object.sequences = report.sequences > 0 ? report.sequences : nil
        case .skipped(let label, let reason):
            object.event = "skipped"
            object.set(label)
            object.reason = reason
        case .failed(let label, let message):
            object.event = "failed"
            object.set(label)
            object.message = message
        case .warning(let message):
            object.event = "warning"
            object.message = message
        case .detail(let message):
            object.event = "detail"
            object.message = message
        }
        return object.line
    }

    /// The object that closes a run.
    static func summary(_ report: RunReport, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "summary"
        object.action = report.action.rawValue
        object.status = report.failed.isEmpty ? "complete" : "partial"
        object.finished = report.finished.count
        object.skipped = report.skipped.count
        object.failed = report.failed.count
        object.definitions = report.definitions.isEmpty ? nil : report.definitions.count
        object.set(TotalCounts(report.finished))
        object.seconds = report.duration.inRoundedSeconds
        object.dryRun = report.isDryRun
        return object.line
    }

    /// The object of an error that ended the command.
    static func error(_ message: String, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "error"
        object.message = message
        return object.line
    }

    /// The object of a signal that ended the run; the counts are those of the tables that are kept.
    static func interrupted(_ state: RunState, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "interrupted"
        object.action = state.action?.rawValue
        object.finished = state.finished.count
        object.failed = state.failures.count
        return object.line
    }

    /// Every key that any event may have; those that an event does not have are left out.
    private struct Object: Encodable {
        struct Table: Encodable {
            let number: Int
            let table: String
            let estimatedRows: Int?
            let location: String
        }

        let time: Date
        var event = ""
        var action: String?
        var bytes: Int64?
        var definition: Bool?
        var definitions: Int?
        var dryRun: Bool?
        var failed: Int?
        var fileBytes: Int64?
        var finished: Int?
        var manifest: String?
        var message: String?
        var number: Int?
        var path: String?
        var reason: String?
        var rows: Int?
        var seconds: Double?
        var sequences: Int?
        var skipped: Int?
        var status: String?
        var table: String?
        var tables: [Table]?
        var transaction: Int?

        init(time: Date) {
            self.time = time
        }

        mutating func set(_ label: TableLabel) {
            number = label.number
            table = label.description
        }

        mutating func set(_ totals: TotalCounts) {
            rows = totals.rows
            bytes = totals.bytes
            fileBytes = totals.fileBytes
        }

        /// The object on one line; JSON's own escapes keep control characters out.
        var line: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.dateEncodingStrategy = .iso8601
            // Nothing in the object can fail to encode: no infinite numbers, no custom encoding.
            guard let data = try? encoder.encode(self) else { return "{}" }
            return String(decoding: data, as: UTF8.self)
        }
    }
}

extension Duration {
    /// Seconds to the millisecond.
    fileprivate var inRoundedSeconds: Double {
        (inSeconds * 1000).rounded() / 1000
    }
}
