import Crypto
import Foundation
import Testing

@testable import Storage

@Suite("Signature Version 4")
struct SignatureTests {
    /// The examples of "Signature Calculations for the Authorization Header" in the Amazon S3 API reference.
    @Test(
        "Signatures equal Amazon's documented examples for S3",
        arguments: [
            Example(
                "GET",
                "/test.txt",
                headers: [("Range", "bytes=0-9")],
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            Example(
                "PUT",
                "/test%24file.text",
                headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                body: "Welcome to Amazon S3.",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ),
            Example(
                "GET",
                "/",
                query: [("lifecycle", "")],
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
            ),
            Example(
                "GET",
                "/",
                query: [("max-keys", "2"), ("prefix", "J")],
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
        ]
    )
    func documented(example: Example) {
        let credentials = Credentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            source: "the test"
        )
        let request = SignatureV4.Request(
            method: example.method,
            path: example.path,
            query: example.query.map { (name: $0.0, value: $0.1) },
            headers: example.headers.map { (name: $0.0, value: $0.1) } + [
                (name: "Host", value: "examplebucket.s3.amazonaws.com")
            ],
            payloadHash: hexadecimal(SHA256.hash(data: Data(example.body.utf8)))
        )
        let added = SignatureV4(credentials: credentials, region: "us-east-1")
            .headers(for: request, at: Date(timeIntervalSince1970: 1_369_353_600))
        #expect(added.last?.name == "authorization")
        #expect(added.last?.value.hasSuffix("Signature=\(example.signature)") == true)
    }

    /// The example of "Signature Version 4" in the AWS general reference, of another service.
    @Test("A signature equals Amazon's documented example for IAM")
    func documentedIAM() {
        let credentials = Credentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            source: "the test"
        )
        let request = SignatureV4.Request(
            method: "GET",
            path: "/",
            query: [(name: "Version", value: "2010-05-08"), (name: "Action", value: "ListUsers")],
            headers: [
                (name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8"),
                (name: "Host", value: "iam.amazonaws.com"),
            ],
            payloadHash: hexadecimal(SHA256.hash(data: Data()))
        )
        let added = SignatureV4(credentials: credentials, region: "us-east-1", service: "iam")
            .headers(for: request, at: Date(timeIntervalSince1970: 1_440_938_160))
        #expect(
            added.last?.value == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, "
                + "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        )
    }

    /// The requests of `Tests/Fixtures/SignatureV4`, made by the script beside them.
    @Test("Signatures equal botocore's on requests with odd keys, queries and headers")
    func botocore() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Fixtures/SignatureV4/signatures.json"
        )
        let fixtures = try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: file))
        #expect(fixtures.count >= 200)
        for fixture in fixtures {
            #expect("/" + uriEncoded(fixture.key, keepsSlash: true) == fixture.path)
            let credentials = Credentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                sessionToken: fixture.token,
                source: "the test"
            )
            let request = SignatureV4.Request(
                method: fixture.method,
                path: fixture.path,
                query: fixture.query.map { (name: $0[0], value: $0[1]) },
                headers: fixture.headers.map { (name: $0[0], value: $0[1]) } + [(name: "host", value: fixture.host)],
                payloadHash: fixture.payloadHash
            )
            let added = SignatureV4(credentials: credentials, region: fixture.region)
                .headers(for: request, at: Date(timeIntervalSince1970: fixture.time))
            #expect(added.last?.value == fixture.authorization, "\(fixture)")
        }
    }

    struct Example: Sendable {
        var method: String
        var path: String
        var query: [(String, String)]
        var headers: [(String, String)]
        var body: String
        var signature: String

        init(
            _ method: String,
            _ path: String,
            query: [(String, String)] = [],
            headers: [(String, String)] = [],
            body: String = "",
            _ signature: String
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
            self.signature = signature
        }
    }

    struct Fixture: Decodable {
        var method, key, path, host, region, payloadHash, authorization: String
        var query, headers: [[String]]
        var token: String?
        var time: Double
    }
}
