import Foundation

/// One failure, as Sentry's event payload has it (developer documentation, "Event Payloads").
struct SentryEvent: Encodable, Sendable {
    /// How bad it is; a run that failed as a whole is fatal.
    enum Level: String, Encodable {
        case error, fatal
    }

    struct Failure: Encodable {
        let type: String
        let value: String
    }

    struct Failures: Encodable {
        let values: [Failure]
    }

    struct Program: Encodable {
        let name: String
        let version: String
    }

    let eventID: String
    let timestamp: String
    // Swift is not among the platforms that the protocol knows.
    let platform = "other"
    let logger = "databudgie"
    let level: Level
    let release: String
    let environment: String?
    let exception: Failures
    let tags: [String: String]
    let sdk = Program(name: "databudgie", version: DatabudgieVersion.current)

    enum CodingKeys: String, CodingKey {
        case eventID = "event_id"
        case timestamp, platform, logger, level, release, environment, exception, tags, sdk
    }

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - failure: What can be shared about the error.
    ///   - kind: What the run does.
    ///   - table: The table whose job failed; nil for the run as a whole.
    ///   - time: When it failed.
    ///   - release: The release to report.
    ///   - environment: The environment to report.
    init(
        _ failure: FailureSummary,
        kind: RunKind,
        table: String?,
        at time: Date,
        release: String,
        environment: String?
    ) {
        eventID = UUID().uuidString.lowercased().filter { $0 != "-" }
        timestamp = Self.text(of: time)
        level = table == nil ? .fatal : .error
        // The server drops names that break its rules, hence these replacements.
        self.release = release.withDashes(for: #"/\"#).prefixed(200)
        self.environment = environment.map { $0.withDashes(for: "/").prefixed(64) }
        let table = table?.replacingScalars(with: " ") { $0.properties.generalCategory == .control }
        let subject = table.map { "\(kind.rawValue) of \($0)" } ?? "\(kind.rawValue) as a whole"
        exception = Failures(values: [
            Failure(type: failure.type, value: "The \(subject) failed: \(failure.sentence).")
        ])
        let tags = [
            "command": kind.rawValue, "table": table?.prefixed(200), "sqlstate": failure.sqlState,
            "code": failure.code,
        ]
        self.tags = tags.compactMapValues(\.self)
    }

    /// A time as RFC 3339 in UTC, to the millisecond.
    static func text(of time: Date) -> String {
        time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
    }
}

extension String {
    /// The text with a dash in the place of each of some symbols and of all white space.
    fileprivate func withDashes(for symbols: String) -> String {
        replacingScalars(with: "-") { $0.properties.isWhitespace || symbols.unicodeScalars.contains($0) }
    }

    /// Replaces Unicode scalars one by one, whatever combining mark follows them.
    fileprivate func replacingScalars(
        with replacement: Unicode.Scalar,
        where isReplaced: (Unicode.Scalar) -> Bool
    ) -> String {
        String(String.UnicodeScalarView(unicodeScalars.map { isReplaced($0) ? replacement : $0 }))
    }

    /// The beginning of the text, as many Unicode scalars as the server counts.
    fileprivate func prefixed(_ length: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(length)))
    }
}
