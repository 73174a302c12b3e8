import FoundationEssentials
import NIOHTTP1
import XML

/// What a service that lends credentials says when it refuses: XML from STS, JSON from the others.
struct ServiceRefusal: Error, Sendable {
    var status: UInt
    /// The service's name for the error; empty when it gave none.
    var code: String
    var message: String
    /// The service's clock.
    var date: Date?

    /// The names that SSO, OIDC, containers and instances use.
    private struct Fields: Decodable {
        var type: String?
        var code: String?
        var upperCode: String?
        var error: String?
        var message: String?
        var upperMessage: String?
        var explanation: String?

        enum CodingKeys: String, CodingKey {
            case type = "__type"
            case code
            case upperCode = "Code"
            case error
            case message
            case upperMessage = "Message"
            case explanation = "error_description"
        }
    }

    init(_ reply: MetadataReply) {
        status = reply.status
        date = reply.headers.first(name: "date").flatMap(Date.init(http:))
        if let fields = try? JSONDecoder().decode(Fields.self, from: reply.body) {
            let type = reply.headers.first(name: "x-amzn-errortype") ?? fields.type
            // As in `com.amazonaws.switchboard#UnauthorizedException:http://…`.
            let name = type?.split(separator: ":").first?.split(separator: "#").last.map(String.init)
            code = name ?? fields.code ?? fields.upperCode ?? fields.error ?? ""
            message = fields.message ?? fields.upperMessage ?? fields.explanation ?? ""
        } else {
            // The root of STS's errors is `ErrorResponse`.
            let problem = (try? XMLElement(parsing: Array(reply.body)))?["Error"]
            code = problem?.words("Code") ?? ""
            message = problem?.words("Message") ?? ""
        }
    }

    /// Whether the same request may succeed a little later.
    var isTransient: Bool {
        let codes: Set = [
            "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "slow_down",
            "IDPCommunicationError", "InternalFailure", "ServiceUnavailable", "RequestTimeout",
        ]
        return codes.contains(code) || Self.isTransient(status: status)
    }

    static func isTransient(status: UInt) -> Bool {
        status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505)
    }

    /// Whether the service's clock is so far from ours that this may be the reason of the refusal.
    func isClockSkew(at now: Date) -> Bool {
        let codes: Set = [
            "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException",
        ]
        guard codes.contains(code), let date else { return false }
        return abs(date.timeIntervalSince(now)) > 240
    }

    /// What the service said, in brackets, for a message.
    /// - Parameter secrets: What must not be shown, should the service repeat it.
    /// - Returns: Nothing, or a space and the brackets.
    func said(hiding secrets: [String?]) -> String {
        // Those who do not accept a signature repeat all headers that were signed.
        var text = code.contains("Signature") ? "" : message
        for secret in secrets {
            if let secret = secret?.nonEmpty { text = text.replacingBytes(of: secret, with: "***") }
        }
        let words = [code, text].filter { !$0.isEmpty }.joined(separator: ": ")
        return words.isEmpty ? "" : " (\(words.prefix(400)))"
    }
}
