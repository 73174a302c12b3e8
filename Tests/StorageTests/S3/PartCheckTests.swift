import DatabudgieTestSupport
import Testing

@testable import Storage

/// Parts carry no MD5 where the server is known to compare them with the SHA-256 that is signed.
@Suite("The MD5 of parts", .serialized)
struct PartCheckTests {
    private static let large = 9 << 20
    private static let probe = S3Storage.probeName

    @Test("A server that refuses a wrong part gets parts without their MD5, and whole objects with it")
    func compares() async throws {
        try await withFaultyStorage([]) { test async throws in
            for _ in 1...2 { try await test.storage.checkWritable(test.folder) }
            try await test.storage.checkWritable(test.folder.appending("below"))
            // One request a storage.
            #expect(test.requests == ["POST", "PUT", "DELETE", "POST", "DELETE", "POST", "DELETE"])
            try await test.storage.write(test.path, pattern(Self.large))
            try await test.storage.write(test.folder.appending("small"), [1])
            #expect(test.parts.count == 2)
            #expect(test.parts.allSatisfy { !$0.headers.contains("content-md5") })
            let last = try #require(test.proxy.requests.last)
            #expect(last.method == "PUT" && last.headers.contains("content-md5"))
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
            #expect(try await everything(in: test.folder).count == 2)
        }
    }

    @Test("Bytes of a part that are flipped on the way are not kept, without the MD5 either")
    func flipped() async throws {
        let rule = FaultProxy.Rule(.flipRequest(at: 50_000), method: "PUT", target: "partNumber=2")
        try await withFaultyStorage([rule]) { test async throws in
            try await test.storage.checkWritable(test.folder)
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(Self.large))
            }
            #expect(error?.code == .corrupted)
            #expect(test.parts.count >= 2)
            #expect(test.parts.allSatisfy { !$0.headers.contains("content-md5") })
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test(
        "Parts keep their MD5 when the wrong part is accepted, or its fate says nothing about hashes",
        arguments: [
            FaultProxy.Fault.reply(status: 200, headers: ["ETag": "\"1\""]), .error(403, "AccessDenied"),
            .error(403, "SignatureDoesNotMatch"), .error(400, "InvalidArgument"), .error(501, "NotImplemented"),
            .error(503, "SlowDown"), .reset(afterBytes: 0), .loseReply,
        ]
    )
    func unknown(fault: FaultProxy.Fault) async throws {
        try await withFaultyStorage([.init(fault, method: "PUT", target: Self.probe)]) { test async throws in
            for _ in 1...2 { try await test.storage.checkWritable(test.folder) }
            // Not tried again, whatever has become of it, and nothing fails.
            #expect(test.requests == ["POST", "PUT!", "DELETE", "POST", "DELETE"])
            try await test.storage.write(test.path, pattern(Self.large))
            #expect(test.parts.count == 2)
            #expect(test.parts.allSatisfy { $0.headers.contains("content-md5") })
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
            #expect(try await everything(in: test.folder).count == 1)
        }
    }

    @Test("Parts have their MD5 while nobody has looked")
    func unchecked() async throws {
        try await withFaultyStorage([]) { test async throws in
            try await test.storage.write(test.path, pattern(Self.large))
            #expect(test.parts.count == 2)
            #expect(test.parts.allSatisfy { $0.headers.contains("content-md5") })
        }
    }
}

extension FaultyStorage {
    /// The parts of files that were sent.
    fileprivate var parts: [FaultProxy.Request] {
        proxy.requests.filter { $0.target.contains("partNumber=") && !$0.target.contains(S3Storage.probeName) }
    }
}
