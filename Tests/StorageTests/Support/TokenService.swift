import Crypto
import DatabudgieTestSupport
import Foundation

@testable import Storage

/// Answers as STS gives them ("AWS Security Token Service API reference").
enum TokenService {
    static func credentials(
        _ action: String = "AssumeRole",
        id: String = "ASIAROLE",
        secret: String = "role secret",
        token: String = "role token",
        expiration: String = "2030-01-01T00:00:00Z"
    ) -> LoopbackService.Reply {
        .init(
            200,
            """
            <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <\(action)Result>
                <AssumedRoleUser>
                  <AssumedRoleId>AROA123EXAMPLE123:me</AssumedRoleId>
                  <Arn>arn:aws:sts::123456789012:assumed-role/backup/me</Arn>
                </AssumedRoleUser>
                <Credentials>
                  <AccessKeyId>\(id)</AccessKeyId>
                  <SecretAccessKey>\(secret)</SecretAccessKey>
                  <SessionToken>\(token)</SessionToken>
                  <Expiration>\(expiration)</Expiration>
                </Credentials>
                <PackedPolicySize>6</PackedPolicySize>
              </\(action)Result>
              <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
            </\(action)Response>
            """,
            headers: ["Content-Type": "text/xml"]
        )
    }

    static func refusal(
        _ status: Int,
        _ code: String,
        _ message: String = "Made up",
        headers: [String: String] = [:]
    ) -> LoopbackService.Reply {
        .init(
            status,
            """
            <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error>
              <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
            </ErrorResponse>
            """,
            headers: headers
        )
    }

    /// Checks a signature of version 4 against what came over the wire, without the code that made it.
    /// - Returns: The scope, as in `20260101/us-east-1/sts`; nil when the signature is not what the secret gives.
    static func scope(ofSigned request: LoopbackService.Request, id: String, secret: String) -> String? {
        let fields = (request.headers["authorization"] ?? "").dropFirst("AWS4-HMAC-SHA256 ".count)
            .split(separator: ", ").reduce(into: [String: String]()) { fields, field in
                let halves = field.split(separator: "=", maxSplits: 1).map(String.init)
                if halves.count == 2 { fields[halves[0]] = halves[1] }
            }
        let credential = (fields["Credential"] ?? "").split(separator: "/").map(String.init)
        guard credential.count == 5, credential[0] == id, credential[4] == "aws4_request",
            let date = request.headers["x-amz-date"], date.hasPrefix(credential[1])
        else { return nil }
        let names = (fields["SignedHeaders"] ?? "").split(separator: ";").map(String.init)
        guard names == names.sorted(), names.contains("host"), names.contains("x-amz-date") else { return nil }
        let canonical =
            "\(request.method)\n\(request.path)\n\(request.query)\n"
            + names.map { "\($0):\(request.headers[$0] ?? "")\n" }.joined() + "\n\(names.joined(separator: ";"))\n"
            + hex(SHA256.hash(data: Data(request.body.utf8)))
        let scope = credential.dropFirst().joined(separator: "/")
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(hex(SHA256.hash(data: Data(canonical.utf8))))"
        var key = Data("AWS4\(secret)".utf8)
        for part in credential.dropFirst() + [text] {
            key = Data(HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: SymmetricKey(data: key)))
        }
        guard hex(key) == fields["Signature"] else { return nil }
        return credential[1...3].joined(separator: "/")
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }
}
