import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

/// What Swift takes for one character, or for equal, and is neither on a disk nor in S3.
@Suite("Bytes of names and texts")
struct ByteTests {
    @Test(
        "Keys are equal only when their bytes are",
        arguments: [
            ("\u{e9}", "e\u{301}"), ("\u{212a}", "K"), ("\u{37e}", ";"), ("\u{1fef}", "`"), ("a", "A"), ("a", "ab"),
        ]
    )
    func keys(left: String, right: String) {
        #expect(ExactString(left) != ExactString(right))
        #expect(ExactString(left) == ExactString(left))
        #expect(Set([left, right, left].map { ExactString($0) }).count == 2)
    }

    @Test("Beginnings and ends are found before and after combining marks")
    func ends() {
        #expect("~/\u{301}x".beginsWithBytes(of: "~/"))
        #expect(!"~".beginsWithBytes(of: "~/"))
        #expect("x\u{600}.partial".endsWithBytes(of: ".partial"))
        #expect(!"partial".endsWithBytes(of: ".partial"))
    }

    @Test("A secret is hidden whatever follows it", arguments: ["", "\u{301}", "\u{200d}", "\u{fe0f}"])
    func secrets(mark: String) {
        let hidden = "a secret\(mark) and secret".replacingBytes(of: "secret", with: "***")
        #expect(Array(hidden.utf8) == Array("a ***\(mark) and ***".utf8))
    }

    @Test(
        "User and password of a URL are hidden, whatever is before and after them",
        arguments: ["", "http://", "http://\u{301}", "//"],
        ["host", "\u{301}host", ""]
    )
    func redaction(scheme: String, host: String) {
        #expect(!redacted("\(scheme)user:secret@\(host)").unicodeScalars.contains("c"))
    }

    @Test("URLs without a user stay as they are", arguments: ["http://host/a", "host", "a@b://c", ""])
    func nothingToRedact(url: String) {
        #expect(redacted(url) == url)
    }

    @Test(
        "Temporary files are known by the bytes of their names",
        arguments: ["\u{301}x", "x\u{600}", "x", "\u{200d}"]
    )
    func temporaryNames(target: String) {
        #expect(TemporaryFile.isTemporary(TemporaryFile.name(for: target)))
        #expect(!TemporaryFile.isTemporary(target))
        #expect(!TemporaryFile.isTemporary(".\(target)"))
    }

    @Test("Profiles whose names differ in normalisation only are two")
    func profiles() throws {
        let sections = ProfileFiles.parse(
            "[profile \u{e9}]\nregion = one\n[profile e\u{301}]\nregion = two\n[\u{301}x]\nregion =\u{301} # none"
        )
        #expect(sections.count == 3)
        #expect(sections[ExactString("profile \u{e9}")] == ["region": "one"])
        #expect(sections[ExactString("profile e\u{301}")] == ["region": "two"])
        #expect(sections[ExactString("\u{301}x")] == ["region": "\u{301}"])
    }

    @Test("A profile is not its own source because of its name's normalisation")
    func profileSource() async throws {
        let config = """
            [profile \u{e9}]
            role_arn = arn:aws:iam::1:role/x
            source_profile = e\u{301}
            [profile e\u{301}]
            aws_access_key_id = A
            aws_secret_access_key = B
            """
        try await LoopbackService.withService { _ in
            TokenService.credentials()
        } _: { service async throws in
            try await withHome(config: config) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                #expect(try await found(S3Options(profile: "\u{e9}"), variables)?.accessKeyID == "ASIAROLE")
            }
            let request = try #require(service.requests.first)
            #expect(TokenService.scope(ofSigned: request, id: "A", secret: "B") != nil)
        }
    }

    @Test("Quotes, spaces and backslashes of a command line count before combining marks")
    func commandLine() throws {
        let words = try ProcessCredentials.words("a \u{301}b '\u{301}c d' \"\u{301}e\" \\\u{e9}")
        #expect(
            words.map { Array($0.utf8) }
                == ["a", "\u{301}b", "\u{301}c d", "\u{301}e", "\u{e9}"].map { Array($0.utf8) }
        )
    }

    @Test("Spaces in signed headers are folded before combining marks")
    func signedHeaders() {
        let request = SignatureV4.Request(
            method: "GET",
            path: "/",
            headers: [(name: "x", value: " a  \u{301}b ")],
            payloadHash: "hash"
        )
        let canonical = SignatureV4.canonicalRequest(request)
        #expect(Array(canonical.utf8) == Array("GET\n/\n\nx:a \u{301}b\n\nx\nhash".utf8))
    }

    @Test(
        "Keys are encoded byte by byte",
        arguments: [
            ("a/\u{301}b", "a/%CC%81b"), ("%\u{301}41", "%25%CC%8141"), ("\u{e9}", "%C3%A9"), ("e\u{301}", "e%CC%81"),
        ]
    )
    func encoding(key: String, encoded: String) {
        #expect(uriEncoded(key, keepsSlash: true) == encoded)
        #expect(uriDecoded(encoded).map { Array($0.utf8) } == Array(key.utf8))
    }

    @Test("Only hexadecimal digits stand for a byte", arguments: ["%+f", "%-1", "% 1", "%4", "%\u{301}"])
    func malformed(text: String) {
        #expect(uriDecoded(text) == nil)
    }
}
