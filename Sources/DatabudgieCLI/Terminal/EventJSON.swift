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
        case .planned(let kind, let jobs):
            object.event = "planned"
            object.action = kind.rawValue
            object.tables = jobs.map(Object.Table.init)
        case .recording(let run):
            object.event = "recording"
            object.action = run.kind.rawValue
            object.manifest = run.manifest
            object.transaction = run.id
        case .restoring(let set):
            object.event = "restoring"
            object.set = set.id
            object.ageSeconds = set.age?.inRoundedSeconds
            object.tableCount = set.tables
        case .runningDefinitions(let source):
            object.event = "running_definitions"
            object.locations = source.locations
            object.role = source.role
            object.superuser = source.isSuperuser
        case .started(let job):
            object.event = "started"
            object.add(job)
        case .progressed(let job, let totals):
            object.event = "progressed"
            object.add(job)
            object.add(totals)
        case .finished(let outcome):
            object.event = "finished"
            object.add(outcome.job)
            object.add(outcome.totals)
            object.path = outcome.path
            object.seconds = outcome.duration.inRoundedSeconds
            object.definition = outcome.includesDefinition ? true : nil
            object.sequences = outcome.sequences.isEmpty ? nil : outcome.sequences.count
            object.rowsInserted = outcome.merged?.inserted
            object.rowsUpdated = outcome.merged?.updated
            object.rowsUnchanged = outcome.merged?.unchanged
            object.rowsSkipped = outcome.merged?.skipped
            object.storedName = outcome.storedName
            object.rejected = outcome.rejected?.count
            object.rejectFile = outcome.rejected?.path
        case .skipped(let skipped):
            object.event = "skipped"
            object.add(skipped.job)
            object.reason = skipped.reason
        case .failed(let failure):
            object.event = "failed"
            object.add(failure.job)
            object.add(Message(failure))
        case .found(let finding):
            object.event = name(of: finding.kind)
            object.add(Message(finding))
        }
        return object.line
    }

    /// The name of the event that a finding makes.
    private static func name(of kind: Finding.Kind) -> String {
        switch kind {
        case .problem: "error"
        case .warning: "warning"
        case .note: "detail"
        }
    }

    /// The object that closes a run.
    static func summary(_ report: RunReport, at time: Date) -> String {
        RunSummary(report, at: time).json.escapedInJSON
    }

    /// The object of an error that ended the command.
    ///
    /// - Parameters:
    ///   - message: One of the error's problems.
    ///   - effect: What became of the target, with the last problem.
    ///   - time: When it happened.
    /// - Returns: One line without its line break.
    static func error(_ message: Message, effect: RunEffect?, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "error"
        object.add(message)
        object.effect = effect?.rawValue
        return object.line
    }

    /// The object of a signal that ended the run; the counts are those of the tables that are kept.
    static func interrupted(_ state: RunState, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "interrupted"
        object.action = state.kind?.rawValue
        object.finished = state.finished.count
        object.failed = state.failed.count
        return object.line
    }

    /// The object of a set that is about to be verified.
    static func verifying(
        _ set: String,
        _ level: SetVerification.Level,
        _ jobs: [PlannedJob],
        at time: Date
    ) -> String {
        var object = Object(time: time)
        object.event = "verifying"
        object.set = set
        object.level = level.rawValue
        object.tables = jobs.map(Object.Table.init)
        return object.line
    }

    /// The object of something that is not as a set record says.
    static func damage(_ damage: SetVerification.Damage, of set: String, file: String?, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "damage"
        object.set = set
        object.table = damage.table
        object.path = file ?? damage.path
        object.segment = damage.segment
        object.offset = damage.offset
        object.message = damage.message
        return object.line
    }

    /// The object of a set that was verified.
    static func verified(_ verified: VerifiedSet, at time: Date) -> String {
        var object = Object(time: time)
        object.event = "verified"
        object.set = verified.id
        object.level = verified.level.rawValue
        object.seconds = verified.duration.inRoundedSeconds
        switch verified.outcome {
        case .ok:
            object.status = "ok"
            object.files = verified.files
            object.add(verified.totals)
            object.fileBytes = verified.fileBytes
            object.differences = verified.differences.isEmpty ? nil : verified.differences.count
        case .damaged(let damages):
            object.status = "damaged"
            object.findings = damages.count
        case .failed(let findings):
            object.status = "failed"
            object.findings = findings.count
        case .superseded(let newer):
            object.status = "superseded"
            object.supersededBy = newer
        case .removed: object.status = "removed"
        case .archived(let files):
            object.status = "archived"
            object.findings = files
        case .unreadable: object.status = "unreadable"
        @unknown default: object.status = "unknown"
        }
        return object.line
    }

    /// Every key that any event may have; those that an event does not have are omitted.
    private struct Object: Encodable {
        struct Table: Encodable {
            let number: Int
            let table: String
            let estimatedRows: Int?
            let location: String
            let storedName: String?

            init(_ job: PlannedJob) {
                number = job.job.number
                table = job.job.description
                estimatedRows = job.estimatedRows
                location = job.location
                storedName = job.storedName
            }
        }

        let time: Date
        var event = ""
        var action: String?
        var ageSeconds: Double?
        var bytes: Int64?
        var definition: Bool?
        var effect: String?
        var failed: Int?
        var fileBytes: Int64?
        var files: Int?
        var findings: Int?
        var differences: Int?
        var finished: Int?
        var hint: String?
        var level: String?
        var locations: [String]?
        var manifest: String?
        var message: String?
        var number: Int?
        var offset: Int64?
        var path: String?
        var reason: String?
        var rejected: Int?
        var rejectFile: String?
        var role: String?
        var rows: Int?
        var rowsInserted: Int?
        var rowsSkipped: Int?
        var rowsUnchanged: Int?
        var rowsUpdated: Int?
        var seconds: Double?
        var segment: Int?
        var sequences: Int?
        var set: String?
        var status: String?
        var storedName: String?
        var supersededBy: String?
        var superuser: Bool?
        var subject: String?
        var table: String?
        var tableCount: Int?
        var tables: [Table]?
        var transaction: Int?

        init(time: Date) {
            self.time = time
        }

        mutating func add(_ job: JobID) {
            number = job.number
            table = job.description
            switch job.subject {
            case .rows, .query: break
            // They have the number of the table's rows, and may fail apart from them.
            case .sequences, .definition: subject = job.subject.rawValue
            }
        }

        mutating func add(_ message: Message) {
            self.message = message.text
            hint = message.hint
        }

        mutating func add(_ totals: TransferTotals) {
            rows = totals.rows
            bytes = totals.bytes
            fileBytes = totals.fileBytes
        }

        /// The object on one line, without control characters.
        var line: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.dateEncodingStrategy = .iso8601
            // Nothing in the object can fail to encode: no infinite numbers, no custom encoding.
            guard let data = try? encoder.encode(self) else { return "{}" }
            return String(decoding: data, as: UTF8.self).escapedInJSON
        }
    }
}
