import Crypto
import FoundationEssentials

/// Signs requests with AWS Signature Version 4, without sending them.
///
/// Source: "AWS Signature Version 4 for API requests" in the AWS Identity and Access Management user guide.
struct SignatureV4: Sendable {
    var credentials: Credentials
    var region: String
    var service = "s3"

    /// What of a request is signed.
    struct Request: Sendable {
        var method: String
        /// The path as it is sent: percent-encoded once, beginning with a slash.
        var path: String
        /// Names and values that are not encoded yet.
        var query: [(name: String, value: String)] = []
        /// All headers that are signed, `host` among them; names in any case.
        var headers: [(name: String, value: String)] = []
        /// The SHA-256 of the body in hexadecimal digits, or `UNSIGNED-PAYLOAD`.
        var payloadHash: String
    }

    /// Headers that proxies may change on the way: never signed.
    private static let unsigned: Set = [
        "authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
    ]

    /// Gives the headers to add to a request, `Authorization` last.
    func headers(for request: Request, at date: Date) -> [(name: String, value: String)] {
        let timestamp = Self.timestamp(date)
        var added = [("x-amz-date", timestamp)]
        if service == "s3" { added.append(("x-amz-content-sha256", request.payloadHash)) }
        if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }

        var signed = request
        signed.headers += added.map { (name: $0.0, value: $0.1) }
        let scopes = [String(timestamp.prefix(8)), region, service, "aws4_request"]
        let scope = scopes.joined(separator: "/")
        let canonical = Self.canonicalRequest(signed)
        let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(hexadecimal(SHA256.hash(data: Array(canonical.utf8))))"
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for part in scopes {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        let signature = hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        let names = Self.canonicalHeaders(signed.headers).map(\.name).joined(separator: ";")
        added.append(
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), "
                    + "Signature=\(signature)"
            )
        )
        return added.map { (name: $0.0, value: $0.1) }
    }

    /// The string whose hash is signed.
    static func canonicalRequest(_ request: Request) -> String {
        let headers = canonicalHeaders(request.headers)
        return [
            request.method, request.path, canonicalQuery(request.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(),
            headers.map(\.name).joined(separator: ";"), request.payloadHash,
        ].joined(separator: "\n")
    }

    /// The query as it is signed and sent: encoded, then sorted by name and value.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (name: uriEncoded($0.name), value: uriEncoded($0.value)) }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// Lower-case names in order, runs of white space in values folded to one space, values of one name joined by commas.
    private static func canonicalHeaders(
        _ headers: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for (name, value) in headers where !unsigned.contains(name.lowercased()) {
            let words = value.utf8.split(whereSeparator: { " \t\r\n".utf8.contains($0) }).map { String(Substring($0)) }
            values[name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        return values.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// A moment as `20130524T000000Z`.
    static func timestamp(_ date: Date) -> String {
        date.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
    }
}
