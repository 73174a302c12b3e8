import DatabudgieTestSupport
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing

@testable import Storage

@Suite("What is asked of S3 for its objects")
struct ObjectOptionTests {
    private static let names = [
        "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class",
        "x-amz-tagging",
    ]

    private static func ask(_ options: inout S3Options) {
        options.serverSideEncryption = .kms
        options.kmsKeyID = "testkey"
        options.storageClass = "GLACIER"
        options.tags = [.init("team", "data"), .init("cost centre", "4+2=6/é"), .init("empty", "")]
        options.requestPayer = .requester
    }

    @Test(
        "Encryption, class and tags are signed headers of what creates objects only, and the payer one of all requests"
    )
    func headers() async throws {
        try await withSignedService { service, storage, folder in
            let (small, large) = (folder.appending("small"), folder.appending("large"))
            try await storage.checkWritable(folder)
            try await storage.write(small, [1], ifExists: .fail)
            try await storage.write(large, pattern(9 << 20))
            let pieces = try await storage.writePieces(folder.appending("pieces"), ifExists: .fail, count: 1)
            try await pieces.write(0, from: ByteSource(bytes: pattern(6 << 20)))
            _ = try await pieces.publish([])
            _ = try await storage.bytes(small)
            _ = try await storage.bytes(small, range: 0..<1)
            _ = try await storage.info(small)
            _ = try await storage.list(folder, recursive: true)
            for write in try await storage.unfinishedWrites(folder, before: .distantFuture) {
                try await storage.discard(write)
            }
            try await storage.delete([small])
            try await storage.delete([small, large])

            let requests = service.requests
            let creating = requests.filter { request in
                request.method == "PUT"
                    ? request.query.isEmpty : request.method == "POST" && request.query == "uploads="
            }
            // The probe, a small file, a large one, and one in pieces.
            #expect(creating.map(\.method) == ["POST", "PUT", "POST", "POST"])
            for request in creating {
                #expect(request.headers["x-amz-server-side-encryption"] == "aws:kms")
                #expect(request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "testkey")
                #expect(request.headers["x-amz-storage-class"] == "GLACIER")
                #expect(request.headers["x-amz-tagging"] == "team=data&cost%20centre=4%2B2%3D6%2F%C3%A9&empty=")
                #expect(Self.names.allSatisfy { Self.signedHeaders(request).contains($0) })
            }
            #expect(requests.filter { $0.headers.keys.contains(where: Self.names.contains) }.count == creating.count)
            #expect(Set(requests.map(\.method)) == ["GET", "HEAD", "PUT", "POST", "DELETE"])
            for request in requests {
                #expect(request.headers["x-amz-request-payer"] == "requester", "\(request.method) \(request.target)")
                #expect(Self.signedHeaders(request).contains("x-amz-request-payer"))
            }
        }
    }

    @Test("Nothing is asked unless it is configured, and another class only for the files that are to have it")
    func classes() async throws {
        try await withSignedService({ $0 = S3Options(storageClass: "STANDARD_IA") }) { service, storage, folder in
            try await storage.write(folder.appending("a"), [1])
            try await storage.storing(in: nil).write(folder.appending("b"), [1])
            try await storage.storing(in: "GLACIER_IR").write(folder.appending("c"), [1])
            #expect(service.requests.map { $0.headers["x-amz-storage-class"] } == ["STANDARD_IA", nil, "GLACIER_IR"])
            let others = Self.names.filter { $0 != "x-amz-storage-class" } + ["x-amz-request-payer"]
            #expect(service.requests.allSatisfy { request in others.allSatisfy { request.headers[$0] == nil } })
        }
    }

    @Test("A server keeps files as it was asked to, and they are read as others", arguments: [3, 9 << 20])
    func kept(size: Int) async throws {
        let server = try await S3Server.shared
        var options = server.options()
        Self.ask(&options)
        let (storage, content) = (S3Storage(options: options, environment: [:]), pattern(size))
        let client = S3Client(options: server.options(), environment: [:], policy: .quick)
        try await server.withFolder { folder in
            let (path, other) = (folder.appending("file"), folder.appending("other"))
            try await storage.checkWritable(folder)
            let info = try await storage.write(path, content, ifExists: .fail)
            #expect(try await storage.bytes(path) == content && info.size == Int64(size))
            try await storage.storing(in: nil).write(other, content)
            for (path, storageClass) in [(path, "GLACIER"), (other, nil)] {
                let head = try await client.send(Self.request(.HEAD, path)).headers
                #expect(head.first(name: "x-amz-storage-class") == storageClass)
                #expect(head.first(name: "x-amz-server-side-encryption") == "aws:kms")
                #expect(head.first(name: "x-amz-server-side-encryption-aws-kms-key-id") == "testkey")
            }
            // Ceph 16 forgets the tags of multipart uploads.
            guard size < 1 << 20 else { return }
            var request = Self.request(.GET, path)
            request.query = [(name: "tagging", value: "")]
            let tags = String(buffer: try await client.send(request).body)
            for (key, value) in [("team", "data"), ("cost centre", "4+2=6/é"), ("empty", "")] {
                #expect(tags.contains("<Key>\(key)</Key><Value>\(value)</Value>"), "\(tags)")
            }
        }
        try await storage.shutdown()
        try await client.shutdown()
    }

    @Test("A class and a key that the server does not have are found by the check before anything is written")
    func unknown() async throws {
        let server = try await S3Server.shared
        let changes: [(change: (inout S3Options) -> Void, code: StorageError.Code, words: String)] = [
            ({ $0.storageClass = "NO_SUCH" }, .rejected, "whether the server supports 'storage_class'"),
            (
                {
                    $0.serverSideEncryption = .kms
                    $0.kmsKeyID = "no-such-key"
                }, .accessDenied, "cannot use its key of KMS"
            ),
        ]
        for (change, code, words) in changes {
            var options = server.options()
            change(&options)
            let storage = S3Storage(options: options, environment: [:], policy: .quick)
            try await server.withFolder { folder async throws in
                let error = await #expect(throws: StorageError.self) {
                    try await storage.write(folder.appending("a"), [1])
                }
                #expect(
                    error?.code == code && error?.description.contains(words) == true,
                    "\(String(describing: error))"
                )
                if code == .rejected {
                    await #expect(throws: StorageError.self) { try await storage.checkWritable(folder) }
                }
                let rest = try await everything(in: folder)
                #expect(rest == [])
            }
            try await storage.shutdown()
        }
    }

    @Test(
        "What S3 refuses as a tag has a problem, and nothing else",
        arguments: [
            ("", "", "has no name"), ("k", "", nil), (String(repeating: "k", count: 128), "", nil),
            (String(repeating: "k", count: 129), "", "has a name of more than 128 characters"),
            ("k", String(repeating: "v", count: 256), nil),
            ("k", String(repeating: "v", count: 257), "has a value of more than 256 characters"),
            ("aws:k", "", "begins with 'aws:', which is reserved"), ("Aws:k", "", nil),
            ("é 漢 ٣ + - = . _ : / @", "x", nil),
            ("a&b", "", "has other characters than letters, digits, spaces and + - = . _ : / @"),
            ("a", "b\n", "has other characters than letters, digits, spaces and + - = . _ : / @"),
            ("a", "e\u{301}", "has other characters than letters, digits, spaces and + - = . _ : / @"),
            ("a", "\u{1F99C}", "has other characters than letters, digits, spaces and + - = . _ : / @"),
        ]
    )
    func tags(key: String, value: String, problem: String?) {
        #expect(S3Options.Tag(key, value).problem == problem)
    }

    @Test("Options are printed with what is asked of objects")
    func description() {
        var options = S3Options()
        Self.ask(&options)
        options.tags.removeLast(2)
        let expected =
            "S3(addressing: auto, encryption: aws:kms, KMS key: testkey, class: GLACIER, tags: team=data, payer: requester)"
        #expect("\(options)" == expected)
    }

    // MARK: -

    private static func request(_ method: HTTPMethod, _ path: StoragePath) -> S3Request {
        guard case .s3(let bucket, let key) = path else {
            return S3Request(method: method, bucket: "", key: "", action: "")
        }
        return S3Request(method: method, bucket: bucket, key: key, action: "looked up")
    }

    private static func signedHeaders(_ request: LoopbackService.Request) -> [String] {
        let fields = request.headers["authorization"]?.split(separator: ", ") ?? []
        let signed = fields.first { $0.hasPrefix("SignedHeaders=") }?.dropFirst("SignedHeaders=".count) ?? ""
        return signed.split(separator: ";").map(String.init)
    }

    /// A server that takes everything, and has one object and one upload.
    private func withSignedService(
        _ change: @Sendable @escaping (inout S3Options) -> Void = Self.ask,
        _ body: @Sendable @escaping (LoopbackService, S3Storage, StoragePath) async throws -> Void
    ) async throws {
        let answer: @Sendable (LoopbackService.Request) async -> LoopbackService.Reply = { Self.reply(to: $0) }
        try await LoopbackService.withService(answer) { service in
            var options = S3Options()
            change(&options)
            (options.accessKeyID, options.secretAccessKey, options.endpointURL) = ("a", "s", service.endpoint)
            let storage = S3Storage(options: options, environment: [:], policy: .quick)
            let result = await Task { try await body(service, storage, .s3(bucket: "b", key: "f")) }.result
            try await storage.shutdown()
            try result.get()
        }
    }

    private static func reply(to request: LoopbackService.Request) -> LoopbackService.Reply {
        let tag = ["etag": "\"e\""]
        switch request.method {
        case "PUT": return .init(200, headers: tag)
        case "DELETE": return .init(204)
        case "HEAD": return .init(404)
        case "POST" where request.query.hasPrefix("uploads"):
            return .init(
                200,
                "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
            )
        case "POST" where request.query.hasPrefix("delete"): return .init(200, "<DeleteResult></DeleteResult>")
        case "POST":
            return .init(200, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
        case _ where request.query.contains("uploads"):
            return .init(
                200,
                "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>f/x</Key><UploadId>u</UploadId>"
                    + "<Initiated>2026-01-01T00:00:00Z</Initiated></Upload></ListMultipartUploadsResult>"
            )
        case _ where request.query.contains("uploadId"):
            return .init(200, "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>")
        case _ where request.query.contains("list-type"):
            return .init(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        case _ where request.headers["range"] != nil:
            return .init(206, "x", headers: tag.merging(["content-range": "bytes 0-0/1"]) { $1 })
        default: return .init(200, "x", headers: tag)
        }
    }
}
