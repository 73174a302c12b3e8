import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

@Suite("A real S3 server")
struct S3ServiceTests {
    /// All that people do with a storage; each has to tell what is wrong.
    static let operations: [@Sendable (S3Storage, StoragePath) async throws -> Void] = [
        { try await $0.checkWritable($1) }, { _ = try await $0.list($1) }, { _ = try await $0.info($1.appending("x")) },
        { _ = try await $0.read($1.appending("x")) }, { try await $0.write($1.appending("x"), [1]) },
        { try await $0.write($1.appending("x"), pattern(9 << 20), ifExists: .fail) },
        { try await $0.delete([$1.appending("x")]) },
        { try await $0.delete([$1.appending("x"), $1.appending("y")]) },
    ]

    @Test("A server that is not reachable is reported", arguments: operations.indices)
    func unreachable(operation: Int) async throws {
        let server = try await S3Server.shared
        let storage = S3Storage(
            options: server.options(endpoint: "http://127.0.0.1:1"),
            environment: [:],
            policy: .quick
        )
        let error = await #expect(throws: StorageError.self) {
            try await Self.operations[operation](storage, .s3(bucket: server.bucket, key: "folder"))
        }
        #expect(error?.code == .unavailable)
        #expect(
            error?.description.hasSuffix(
                "the connection to http://127.0.0.1:1 failed (4 attempts): connection refused; "
                    + "check the network and the endpoint URL, then try again"
            ) == true
        )
        try await storage.shutdown()
    }

    @Test("A host name that does not exist is reported")
    func unknownHost() async throws {
        let server = try await S3Server.shared
        let storage = S3Storage(
            options: server.options(endpoint: "http://no-such-host.invalid"),
            environment: [:],
            policy: .quick
        )
        let error = await #expect(throws: StorageError.self) {
            try await storage.list(.s3(bucket: server.bucket, key: ""))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("unknown host name") == true)
        try await storage.shutdown()
    }

    @Test("A wrong secret is reported, whatever is done", arguments: operations.indices)
    func wrongSecret(operation: Int) async throws {
        let server = try await S3Server.shared
        var options = server.options()
        options.secretAccessKey = "not-the-secret"
        let storage = S3Storage(options: options, environment: [:], policy: .quick)
        let error = await #expect(throws: StorageError.self) {
            try await Self.operations[operation](storage, .s3(bucket: server.bucket, key: "folder"))
        }
        #expect(error?.code == .wrongCredentials)
        #expect(
            error?.description.hasSuffix(
                "\(server.endpoint) rejected the secret access key; correct the credentials in the configuration"
            ) == true
        )
        #expect(error?.description.contains("not-the-secret") == false)
        try await storage.shutdown()
    }

    @Test("An unknown access key is reported, whatever is done", arguments: operations.indices)
    func unknownKey(operation: Int) async throws {
        let server = try await S3Server.shared
        let environment = server.environment.merging(["AWS_ACCESS_KEY_ID": "AKIDUNKNOWN"]) { $1 }
        let storage = S3Storage(options: S3Options(), environment: environment, policy: .quick)
        let error = await #expect(throws: StorageError.self) {
            try await Self.operations[operation](storage, .s3(bucket: server.bucket, key: "folder"))
        }
        #expect(error?.code == .wrongCredentials)
        #expect(error?.description.hasSuffix("; correct the credentials in the environment") == true)
        try await storage.shutdown()
    }

    @Test("A missing bucket is reported", arguments: [0, 1, 4, 5])
    func missingBucket(operation: Int) async throws {
        let server = try await S3Server.shared
        let storage = S3Storage(options: server.options(), environment: [:], policy: .quick)
        let error = await #expect(throws: StorageError.self) {
            try await Self.operations[operation](storage, .s3(bucket: "no-such-bucket", key: "folder"))
        }
        #expect(error?.code == .noSuchBucket)
        #expect(
            error?.description.hasSuffix(
                "its bucket does not exist at \(server.endpoint); "
                    + "create the bucket, or correct the location or the endpoint URL"
            ) == true
        )
        try await storage.shutdown()
    }

    @Test("More keys than fit on a page are listed and deleted", .timeLimit(.minutes(5)))
    func manyKeys() async throws {
        try await StorageUnderTest.s3.withStorage { storage, folder async throws in
            let names = (0..<1_030).map { "k \($0) +ü" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, name) in names.enumerated() {
                    if index >= 32 { try await group.next() }
                    group.addTask { try await storage.write(folder.appending(name), []) }
                }
                try await group.waitForAll()
            }
            let listed = try await storage.list(folder).map(\.path.lastComponent)
            #expect(Set(listed) == Set(names))
            #expect(listed.count == names.count)
            try await storage.delete(names.map { folder.appending($0) })
            #expect(try await storage.list(folder) == [])
        }
    }

    @Test(
        "Keys that a local disk would not keep are kept",
        arguments: ["a//b", "a/./b", "a/../b", "/lead", "//", "...", String(repeating: "é/", count: 300)]
    )
    func oddKeys(key: String) async throws {
        let server = try await S3Server.shared
        try await server.withFolder { folder async throws in
            let storage = S3Storage(options: server.options(), environment: [:])
            let path = StoragePath.s3(bucket: server.bucket, key: folder.text + "/" + key + "x")
            try await storage.write(path, [1, 2])
            #expect(try await storage.bytes(path) == [1, 2])
            #expect(try await storage.list(folder, recursive: true).map(\.path) == [path])
            try await storage.delete([path])
            #expect(try await storage.list(folder, recursive: true) == [])
            try await storage.shutdown()
        }
    }

    @Test("An empty key is refused")
    func noKey() async throws {
        let storage = S3Storage(options: S3Options(), environment: [:])
        let error = await #expect(throws: StorageError.self) { try await storage.info(.s3(bucket: "bucket", key: "")) }
        #expect(error?.description == "s3://bucket/ names a bucket but no file in it; add a key")
        try await storage.shutdown()
    }
}
