import Foundation
import Testing

@testable import Storage

@Suite("XML of servers")
struct XMLTests {
    /// Found by scripts/fuzz: Foundation's parser ends the process at such a name.
    private static let damaged = Array(
        "<ListBucketResult><Cont\u{0}nts><Key>k</Key></Contents></ListBucketResult>".utf8
    )
    .map { $0 == 0 ? 0xC0 : $0 }

    @Test("A reply whose names are not UTF-8 is refused, and does not end the process")
    func notUTF8() {
        #expect(throws: DecodingError.self) { try decodedXML(S3Document.Listing.self, from: Data(Self.damaged)) }
        #expect(SecurityTokenService.decode(Data(Self.damaged)) == nil)
    }

    @Test("Credentials are read from the reply of STS")
    func credentials() throws {
        let fields = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>é</SecretAccessKey>"
        for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
            let body = """
                <\(action)Response><\(action)Result><Credentials>\(fields)</Credentials></\(action)Result></\(action)Response>
                """
            let credentials = try #require(SecurityTokenService.decode(Data(body.utf8)))
            #expect(credentials.accessKeyID == "A")
            #expect(credentials.secretAccessKey == "é")
        }
    }
}
