import DatabudgieTestSupport
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import Storage

@Suite("Buckets with Object Lock")
struct ObjectLockTests {
    /// As Amazon words it.
    private static let demand = FaultProxy.Fault.reply(
        status: 400,
        body: "<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is required for "
            + "Put Part requests with Object Lock parameters</Message></Error>"
    )

    /// A bucket all of whose objects are kept for a day.
    private func withLockedBucket(
        _ body: (S3Storage, StoragePath, _ versions: () async throws -> [String]) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared
        let bucket = "locked-\(UInt64.random(in: .min ... .max))"
        let client = S3Client(options: server.options(), environment: [:], policy: .quick)
        let storage = S3Storage(options: server.options(), environment: [:])
        var create = S3Request(method: .PUT, bucket: bucket, key: "", action: "created")
        create.headers = [(name: "x-amz-bucket-object-lock-enabled", value: "true")]
        _ = try await client.send(create)
        var lock = S3Request(method: .PUT, bucket: bucket, key: "", action: "locked")
        lock.query = [(name: "object-lock", value: "")]
        lock.body = ByteBuffer(
            string: "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                + "<Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
        )
        _ = try await client.send(lock)
        try await body(storage, .s3(bucket: bucket, key: "folder")) {
            var list = S3Request(method: .GET, bucket: bucket, key: "", action: "listed")
            list.query = [(name: "versions", value: "")]
            let text = String(buffer: try await client.send(list).body)
            return text.split(separator: "<Version>").dropFirst().map { version in
                version.split(separator: "<Key>").last.map { String($0.prefix { $0 != "<" }) } ?? ""
            }
        }
        try await storage.shutdown()
        try await client.shutdown()
    }

    @Test("The check leaves nothing that would stay locked")
    func check() async throws {
        try await withLockedBucket { storage, folder, versions in
            for _ in 1...2 { try await storage.checkWritable(folder) }
            #expect(try await versions() == [])
            #expect(try await storage.unfinishedWrites(folder, before: .distantFuture) == [])
        }
    }

    @Test("Files are written and read, and their removal hides them", arguments: [3, 9 << 20])
    func files(size: Int) async throws {
        try await withLockedBucket { storage, folder, versions in
            let (path, content) = (folder.appending("file"), pattern(size))
            try await storage.checkWritable(folder)
            try await storage.write(path, content, ifExists: .fail)
            #expect(try await storage.bytes(path) == content)
            await #expect(throws: StorageError.self) { try await storage.write(path, content, ifExists: .fail) }
            try await storage.delete([path])
            #expect(try await storage.info(path) == nil)
            #expect(try await storage.list(folder, recursive: true) == [])
            #expect(try await versions() == ["folder/file"])
            // The name is free again.
            try await storage.write(path, [1], ifExists: .fail)
            #expect(try await storage.bytes(path) == [1])
        }
    }

    @Test("A part that the server takes only with a checksum is sent again with one, and so are all later ones at once")
    func demanded() async throws {
        let rule = FaultProxy.Rule(Self.demand, method: "PUT", target: "partNumber=1", skip: 1, count: 1)
        try await withFaultyStorage([rule]) { test async throws in
            // It is seen here that the server compares hashes, so parts have no MD5.
            try await test.storage.checkWritable(test.folder)
            try await test.storage.write(test.path, pattern(9 << 20))
            let first = test.parts.filter { $0.target.contains("partNumber=1") }
            #expect(first.map { $0.fault != nil } == [true, false])
            #expect(first.map { $0.headers.contains("content-md5") } == [false, true])
            let before = test.parts.count
            try await test.storage.write(test.folder.appending("next"), pattern(9 << 20, seed: 2))
            #expect(test.parts.dropFirst(before).map { $0.headers.contains("content-md5") } == [true, true])
            #expect(try await test.direct.bytes(test.path) == pattern(9 << 20))
            #expect(try await test.direct.bytes(test.folder.appending("next")) == pattern(9 << 20, seed: 2))
        }
    }

    @Test("A server that keeps demanding a checksum that it has got is not asked for ever")
    func demandedInVain() async throws {
        let rule = FaultProxy.Rule(Self.demand, method: "PUT", target: "partNumber=")
        try await withFaultyStorage([rule]) { test async throws in
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(9 << 20))
            }
            #expect(error?.code == .rejected && error?.message.contains("Content-MD5") == true)
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test(
        "A removal that retention refuses says so in one line",
        arguments: [
            (403, "AccessDenied", "forbidden by object lock"),
            (403, "AccessDenied", "Access Denied because object protected by object lock."),
            (400, "InvalidRequest", "Object is WORM protected and cannot be overwritten"),
            (403, "RetentionPolicyNotMet", "Object is subject to bucket's retention policy"),
        ]
    )
    func refused(status: Int, code: String, message: String) async throws {
        let fault = FaultProxy.Fault.reply(
            status: status,
            body: "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
        )
        try await withFaultyStorage([.init(fault, method: "DELETE")]) { test async throws in
            try await test.storage.write(test.path, [1])
            let error = await #expect(throws: StorageError.self) { try await test.storage.delete([test.path]) }
            #expect(error?.code == .locked)
            #expect(
                error?.message
                    == "\(test.path) cannot be deleted before its retention ends (\(code): \(message))"
            )
            #expect(error?.hint == "try again when it has ended: its Object Lock keeps it until then")
            #expect(try await test.direct.bytes(test.path) == [1])
        }
    }

    @Test("A missing permission is none of Object Lock's, whatever its name")
    func permissions() {
        let message = "User: x is not authorized to perform: s3:BypassGovernanceRetention"
        #expect(!S3ErrorReply(status: 403, code: "AccessDenied", message: message).isLocked)
        #expect(!S3ErrorReply(status: 403, code: "AccessDenied", message: "Access Denied").isLocked)
    }

    @Test("An archived object is named with the command that restores it")
    func archived() async throws {
        let body =
            "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's storage "
            + "class</Message><StorageClass>GLACIER</StorageClass></Error>"
        let rule = FaultProxy.Rule(.reply(status: 403, body: body), method: "GET", target: "it%27s")
        try await withFaultyStorage([rule]) { test async throws in
            let path = test.folder.appending("it's")
            try await test.storage.write(path, [1])
            for range in [nil, 0..<1] as [Range<Int64>?] {
                let error = await #expect(throws: StorageError.self) {
                    try await test.storage.bytes(path, range: range)
                }
                #expect(error?.code == .archived)
                #expect(error?.message == "\(path) cannot be read: it is archived (storage class GLACIER)")
                guard case .s3(let bucket, let key) = path else { return }
                let quoted = key.replacing("'", with: "'\\''")
                #expect(
                    error?.hint
                        == "restore it first with aws s3api restore-object --bucket \(bucket) --key '\(quoted)' "
                        + "--restore-request Days=7, and try again when that is done"
                )
            }
            // It is there all the same.
            #expect(try await test.storage.info(path)?.size == 1)
            #expect(test.requests.filter { $0.hasPrefix("GET") } == ["GET!", "GET!"])
        }
    }

    @Test("What a key of KMS or a tag needs is in the hint")
    func hints() {
        func error(_ code: String, _ message: String, status: UInt, headers: [String] = []) -> StorageError {
            S3Failure(
                path: .s3(bucket: "bucket", key: "key"),
                action: "written",
                endpoint: "https://s3.example.com",
                attempts: 1,
                duration: .zero,
                credentials: nil,
                headers: headers
            ).error(S3ErrorReply(status: status, code: code, message: message))
        }
        let denied =
            "User: x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:1:key/2"
        for kms in [
            error("AccessDenied", denied, status: 403),
            error("KMS.DisabledException", "key/2 is disabled.", status: 400),
        ] {
            #expect(kms.code == .accessDenied && kms.message.contains("cannot use its key of KMS ("))
            #expect(
                kms.hint
                    == "check the key and its region, and grant the credentials kms:GenerateDataKey and kms:Decrypt for it"
            )
        }
        #expect(
            error("AccessDenied", "Access Denied", status: 403, headers: ["x-amz-tagging"]).hint
                == "grant them s3:PutObject and, for 'tags', s3:PutObjectTagging, or use others"
        )
        #expect(error("AccessDenied", "Access Denied", status: 403).hint == "grant them the permission, or use others")
    }
}

extension FaultyStorage {
    /// The parts of files that were sent.
    fileprivate var parts: [FaultProxy.Request] {
        proxy.requests.filter { $0.target.contains("partNumber=") && !$0.target.contains(S3Storage.probeName) }
    }
}
