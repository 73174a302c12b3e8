import FoundationEssentials
import NIOHTTP1
import XML

/// What a server says when it refuses a request.
struct S3ErrorReply: Error, Sendable {
    var status: UInt
    /// S3's name for the error; empty when the reply has no body, as after HEAD.
    var code: String
    var message: String
    var region: String?
    /// The server's clock.
    var date: Date?
    /// What the server said about the next attempt (`Retry-After`): a number of seconds, or a date of HTTP.
    var retryAfter: String?
    /// The class of an object that is archived.
    var storageClass: String?
    /// The server speaks TLS, and said in plain text that it was asked without it.
    var demandsTLS = false

    init(status: UInt, headers: HTTPHeaders, body: Data) {
        let body = S3Document.content(of: body)
        let document = body.isEmpty ? nil : try? XMLElement(parsing: body)
        self.status = status
        code = document?.words("Code") ?? ""
        message = document?.words("Message") ?? ""
        region = headers.first(name: "x-amz-bucket-region") ?? document?.words("Region")?.nonEmpty
        storageClass = document?.words("StorageClass")?.nonEmpty
        date = headers.first(name: "date").flatMap(Date.init(http:))
        retryAfter = headers.first(name: "retry-after")
        // As Go's servers, nginx and Apache word it.
        let text = document == nil ? String(decoding: body.prefix(4096), as: UTF8.self) : ""
        demandsTLS =
            status == 400
            && ["to an HTTPS server", "sent to HTTPS port", "SSL-enabled server port"].contains { text.contains($0) }
    }

    init(status: UInt, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// Whether the same request may succeed a little later.
    var isTransient: Bool {
        switch code {
        case "SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "Busy", "TooManyRequests": true
        // Another writer was at it: what it left decides about the next attempt.
        case "ConditionalRequestConflict", "OperationAborted": true
        case "XMinioStorageFull", "InsufficientStorage": false
        default: status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505 && status != 507)
        }
    }

    /// How long the server asks to wait.
    func requestedPause(at now: Date) -> Duration? {
        guard let text = retryAfter else { return nil }
        if let seconds = Int(text) { return .seconds(max(0, min(seconds, 86_400))) }
        return Date(http: text).map { .seconds(max(0, min($0.timeIntervalSince(now), 86_400))) }
    }

    var isExpiredToken: Bool { ["ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"].contains(code) }

    /// A request of a bucket with Object Lock has no checksum.
    var demandsChecksum: Bool {
        code == "MissingContentMD5"
            || (status == 400 && message.lowercased().contains("content-md5") && message.contains("required"))
    }

    /// An object cannot be removed or replaced before its retention ends.
    ///
    /// Amazon and Ceph say it in the message of `AccessDenied`, MinIO in that of `InvalidRequest`; Google has codes for it.
    var isLocked: Bool {
        if ["ObjectLocked", "RetentionPolicyNotMet", "ObjectUnderActiveHold"].contains(code) { return true }
        let message = message.lowercased()
        // A permission can have such a name as well.
        guard [400, 403, 405, 409].contains(status), !demandsChecksum, !message.contains("not authorized") else {
            return false
        }
        return ["object lock", "worm protected", "retention", "legal hold", "immutable"].contains {
            message.contains($0)
        }
    }

    /// A key of KMS cannot be used.
    var isAboutKMS: Bool {
        code.utf8.starts(with: "KMS.".utf8) || ["KMS", "kms:", "kms-key"].contains { message.contains($0) }
    }

    /// The request went to the wrong region; `region` names the right one.
    var isWrongRegion: Bool {
        region != nil
            && ([301, 307].contains(status)
                || [
                    "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException",
                    "InvalidRegion",
                ].contains(code) || (code.isEmpty && status == 400))
    }

    /// The server's clock is so far from ours that this may be the reason for a refusal.
    func isClockSkew(at now: Date) -> Bool {
        if code == "RequestTimeTooSkewed" || code == "RequestExpired" { return true }
        guard status == 403, code.isEmpty || code == "AccessDenied", let date else { return false }
        return abs(date.timeIntervalSince(now)) > 300
    }

    /// Whether a body of status 200 is an error.
    static func isError(_ body: Data) -> Bool {
        let tags = String(decoding: S3Document.content(of: body).prefix(1024), as: UTF8.self).split(separator: "<").map
        {
            $0.prefix { $0 != ">" }
        }
        let root = tags.first { tag in tag.first.map { $0.isLetter } ?? false }
        return root?.split(separator: " ").first == "Error"
    }
}
