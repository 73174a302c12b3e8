import Foundation
import NIOCore
import NIOHTTP1

@testable import Storage

/// What S3, STS and the other services of AWS reply, and the files of the AWS tools.
enum StorageTargets {
    static func s3Replies(_ bytes: [UInt8]) {
        let reply = S3Reply(status: 200, headers: [:], body: ByteBuffer(bytes: bytes), attempts: 1)
        let path = StoragePath.s3(bucket: "bucket", key: "key")
        if let listing = try? S3Document.decode(S3Document.Listing.self, from: reply, about: path) {
            for object in listing.objects {
                _ = uriDecoded(object.key)
                _ = date(iso8601: object.modified)
            }
        }
        _ = try? S3Document.decode(S3Document.NewUpload.self, from: reply, about: path)
        _ = try? S3Document.decode(S3Document.NewObject.self, from: reply, about: path)
        _ = try? S3Document.decode(S3Document.Uploads.self, from: reply, about: path)
        _ = try? S3Document.decode(S3Document.DeletionResult.self, from: reply, about: path)
        let error = S3ErrorReply(status: 400, headers: [:], body: Data(bytes))
        _ = (error.isTransient, error.isWrongRegion, error.isClockSkew(at: Date(timeIntervalSince1970: 0)))
        _ = S3ErrorReply.isError(Data(bytes))
    }

    static func credentials(_ bytes: [UInt8]) {
        let refusal = ServiceRefusal(MetadataReply(status: 400, headers: [:], body: Data(bytes)))
        let shown = refusal.said(hiding: ["secret"])
        expect(!shown.contains("secret") || refusal.code.contains("secret"), "a secret is shown")
        if let credentials = try? JSONDecoder().decode(TemporaryCredentials.self, from: Data(bytes)) {
            _ = try? credentials.credentials(from: "fuzz")
        }
        _ = SecurityTokenService.decode(Data(bytes))
        let line = String(decoding: bytes, as: UTF8.self)
        guard let words = try? ProcessCredentials.words(line) else { return }
        let quoted = words.map { "'" + $0.replacing("'", with: "'\"'\"'") + "'" }.joined(separator: " ")
        guard !line.utf8.contains(UInt8(ascii: "'")) else { return }
        expect((try? ProcessCredentials.words(quoted)) == words, "words are cut differently when they are quoted")
    }

    static func profiles(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        for (_, settings) in ProfileFiles.parse(text) {
            for (name, value) in settings {
                expect(!name.utf8.contains(10) && !value.utf8.contains(10), "a setting goes over a line's end")
            }
        }
    }

    static func encoding(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        for keepsSlash in [false, true] {
            let encoded = uriEncoded(text, keepsSlash: keepsSlash)
            expect(
                uriDecoded(encoded).map { Array($0.utf8) } == Array(text.utf8),
                "a key is another one after decoding"
            )
        }
        _ = uriDecoded(text)
        _ = Date(http: text)
        _ = date(iso8601: text)
        guard let path = try? StoragePath(text) else { return }
        let again = try? StoragePath(path.description)
        expect(again == path, "a path is another one after it was written")
    }
}
