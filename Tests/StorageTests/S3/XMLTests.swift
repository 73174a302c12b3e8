import Foundation
import Testing
import XML

@testable import Storage

@Suite("XML of servers")
struct XMLTests {
    /// Found by scripts/fuzz: a parser that was used once ended the process at such a name.
    private static let damaged = Array(
        "<ListBucketResult><Cont\u{0}nts><Key>k</Key></Contents></ListBucketResult>".utf8
    )
    .map { $0 == 0 ? 0xC0 : $0 }

    @Test("A reply whose names are not UTF-8 is refused, and does not end the process")
    func notUTF8() {
        #expect(throws: XMLError.self) { try S3Document.Listing(Self.damaged) }
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

    @Test(
        "What is not well-formed, or could be meant to exhaust memory, is refused with its reason",
        arguments: [
            ("", "no element found in line 1"),
            ("<a>\n<b></a>", "mismatched tag in line 2"),
            ("<a/><b/>", "junk after document element in line 1"),
            ("<a>&lol;</a>", "undefined entity in line 1"),
            ("<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>", "it has a document type definition"),
            (String(repeating: "<a>", count: 200_000), "it is nested too deeply"),
            ("<a>\u{1}</a>", "not well-formed (invalid token) in line 1"),
        ]
    )
    func damage(text: String, message: String) {
        #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text.utf8)) }
        do {
            _ = try XMLElement(parsing: Array(text.utf8))
        } catch {
            #expect(error.message == message)
        }
    }

    @Test("A page of another kind, such as a proxy's, is no empty listing")
    func otherRoot() {
        let page = Array("<html><body>Sign in</body></html>".utf8)
        #expect(throws: XMLError.self) { try S3Document.Listing(page) }
        #expect(throws: XMLError.self) { try S3Document.DeletionResult(page) }
        #expect(throws: XMLError.self) { try S3Document.NewObject(page) }
    }

    @Test("What is missing in a listing, or is no number, is an error that names it")
    func missing() {
        for (object, message) in [
            ("<Size>1</Size><LastModified>x</LastModified>", "Contents has no Key"),
            ("<Key>k</Key><Size>one</Size><LastModified>x</LastModified>", "Size is \"one\", and no number"),
        ] {
            do {
                _ = try S3Document.Listing(
                    Array("<ListBucketResult><Contents>\(object)</Contents></ListBucketResult>".utf8)
                )
                Issue.record("\(object) was read")
            } catch {
                #expect(error.message == message)
            }
        }
    }

    @Test("Texts come back byte for byte, with spaces, references, CDATA and characters of any length")
    func texts() throws {
        let key = " a&b<c>\"'\r\n\t\u{85}é e\u{301} 🐦 "
        let written = XMLElement("Delete", [XMLElement("Object", [XMLElement("Key", text: key)])])
        let read = try XMLElement(parsing: written.document)
        let text = try #require(read["Object"]?["Key"]?.text)
        #expect(Array(text.utf8) == Array(key.utf8))

        let mixed = try XMLElement(parsing: Array("<a>x<b>&#x1F426;&amp;</b><![CDATA[<y>]]><b/><b>2</b></a>".utf8))
        #expect(mixed.text == "x<y>")
        #expect(mixed.all("b").map(\.text) == ["🐦&", "", "2"])
    }

    @Test("A long document is read to its end, though it is parsed in pieces")
    func long() throws {
        let objects = (0..<20_000).map {
            "<Contents><Key>é\($0)</Key><Size>\($0)</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
        }
        let text = "<ListBucketResult><IsTruncated> false </IsTruncated>\(objects.joined())</ListBucketResult>"
        #expect(text.utf8.count > 1 << 20)
        let listing = try S3Document.Listing(Array(text.utf8))
        #expect(listing.objects.map(\.key) == (0..<20_000).map { "é\($0)" })
        #expect(listing.objects.map(\.size) == (0..<20_000).map(Int64.init))
        #expect(!listing.isTruncated)
    }
}
