import FoundationEssentials

/// A role to assume, as a profile or the environment describes it.
struct AssumedRole: Sendable {
    var arn: String
    var sessionName: String
    var externalID: String?
    /// How long the credentials are to be valid, in seconds; the service decides when it is nil.
    var duration: Int?
    /// Where the role is named, for messages.
    var origin: String

    /// Reads a profile that has a `role_arn`.
    /// - Throws: `StorageError` when the duration is not one that AWS allows.
    init(arn: String, profile: String, settings: [String: String], now: Date) throws {
        self.init(
            arn: arn,
            sessionName: settings["role_session_name"],
            origin: "the AWS profile \(quoting(profile))",
            now: now
        )
        externalID = settings["external_id"]?.nonEmpty
        guard let text = settings["duration_seconds"]?.nonEmpty else { return }
        guard let seconds = Int(text), (900...43_200).contains(seconds) else {
            throw StorageError(
                .invalidConfiguration,
                "duration_seconds of \(origin) cannot be \(quoting(text))",
                hint: "give a number of seconds from 900 to 43200"
            )
        }
        duration = seconds
    }

    init(arn: String, sessionName: String?, origin: String, now: Date) {
        self.arn = arn
        self.sessionName = sessionName?.nonEmpty ?? "databudgie-\(Int(now.timeIntervalSince1970))"
        self.origin = origin
    }

    /// Words for the source of the credentials that the role gives.
    var source: String { "the role \(arn) (\(origin))" }
}
