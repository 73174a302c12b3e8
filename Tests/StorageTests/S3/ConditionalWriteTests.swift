import DatabudgieTestSupport
import Testing

@testable import Storage

@Suite("S3 objects that must not replace others")
struct ConditionalWriteTests {
    @Test("A server that refuses to replace files is found out by the eighth, and not asked before the others")
    func refusals() async throws {
        try await withFaultyStorage([]) { test async throws in
            for number in 1...12 {
                try await test.storage.write(test.folder.appending("\(number)"), [1], ifExists: .fail)
            }
            // One of the requests is refused: it would replace the eighth file by itself.
            var expected: [String] = []
            for number in 1...12 {
                if number <= 8 { expected.append("HEAD") }
                expected.append("PUT")
                if number == 8 { expected.append("PUT") }
            }
            #expect(test.requests == expected)
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.folder.appending("3"), [2], ifExists: .fail)
            }
            #expect(error?.code == .alreadyExists)
            #expect(try await test.direct.bytes(test.folder.appending("3")) == [1])
            let large = test.folder.appending("large")
            try await test.storage.write(large, pattern(S3FaultTests.large), ifExists: .fail)
            await #expect(throws: StorageError.self) {
                try await test.storage.write(large, pattern(S3FaultTests.large), ifExists: .fail)
            }
            // It is looked for before the first part of many is sent.
            #expect(test.requests.last == "HEAD")
        }
    }

    @Test("A server that would replace files is asked before each of them")
    func noRefusals() async throws {
        let answer: @Sendable (LoopbackService.Request) async -> LoopbackService.Reply = { request in
            request.method == "HEAD" ? .init(404) : .init(200, headers: ["etag": "\"e\""])
        }
        try await LoopbackService.withService(answer) { service in
            let options = S3Options(accessKeyID: "a", secretAccessKey: "s", endpointURL: service.endpoint)
            let storage = S3Storage(options: options, environment: [:])
            let result = await Task {
                for number in 1...12 {
                    _ = try await storage.write(
                        .s3(bucket: "b", key: "\(number)"),
                        ifExists: .fail,
                        from: ByteSource(bytes: [1])
                    )
                }
            }.result
            try await storage.shutdown()
            try result.get()
            var expected: [String] = []
            for number in 1...12 { expected += number == 8 ? ["HEAD", "PUT", "PUT"] : ["HEAD", "PUT"] }
            #expect(service.requests.map { $0.method } == expected)
        }
    }

    @Test("Where a condition is not implemented although the server was seen to refuse, the file is looked for")
    func notImplemented() async throws {
        // The eighth file is written twice.
        let rule = FaultProxy.Rule(.error(501, "NotImplemented"), method: "PUT", skip: 9)
        try await withFaultyStorage([rule]) { test async throws in
            for number in 1...8 {
                try await test.storage.write(test.folder.appending("\(number)"), [1], ifExists: .fail)
            }
            let before = test.requests.count
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.folder.appending("3"), [2], ifExists: .fail)
            }
            #expect(error?.code == .alreadyExists)
            #expect(test.requests.dropFirst(before).prefix(2) == ["PUT!", "HEAD"])
            #expect(try await test.direct.bytes(test.folder.appending("3")) == [1])
        }
        try await withFaultyStorage([.init(.error(501, "NotImplemented"), method: "PUT", skip: 9, count: 1)]) {
            test async throws in
            for number in 1...9 {
                try await test.storage.write(test.folder.appending("\(number)"), [1], ifExists: .fail)
            }
            #expect(test.requests.suffix(3) == ["PUT!", "HEAD", "PUT"])
            #expect(try await test.direct.bytes(test.folder.appending("9")) == [1])
        }
    }
}
