import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

/// Every fault ends in a correct object or in a clear failure that leaves nothing behind.
@Suite("S3 that misbehaves", .serialized)
struct S3FaultTests {
    static let small = 100_000
    static let large = 9 << 20

    @Test(
        "A write succeeds in spite of faults",
        arguments: [
            FaultProxy.Rule(.error(503, "SlowDown"), count: 4), .init(.error(500, "InternalError"), skip: 1, count: 2),
            .init(.error(429, "TooManyRequests"), count: 1), .init(.error(408, "RequestTimeout"), count: 1),
            .init(.error(400, "RequestTimeout"), count: 1), .init(.reset(afterBytes: 0), count: 2),
            .init(.reset(afterBytes: 70_000), method: "PUT", count: 2), .init(.loseReply, method: "PUT", count: 1),
            .init(.loseReply, method: "POST", target: "uploadId", count: 1),
            .init(.delay(.milliseconds(300)), count: 3),
            .init(
                .reply(status: 200, body: "<Error><Code>InternalError</Code></Error>"),
                method: "POST",
                target: "uploadId",
                count: 2
            ),
            .init(.reply(status: 503, body: "no XML at all"), count: 2),
            .init(.cutReply(afterBytes: 20), method: "POST", target: "uploadId", count: 1),
        ],
        [(small, ExistingFile.replace), (small, .fail), (large, .replace), (large, .fail)]
    )
    func writes(rule: FaultProxy.Rule, write: (size: Int, ifExists: ExistingFile)) async throws {
        try await withFaultyStorage([rule]) { test async throws in
            let content = pattern(write.size)
            let info = try await test.storage.write(test.path, content, ifExists: write.ifExists)
            #expect(info.size == Int64(write.size))
            #expect(try await test.direct.bytes(test.path) == content)
            #expect(try await everything(in: test.folder).count == 1)
        }
    }

    @Test(
        "A read succeeds in spite of faults",
        arguments: [
            FaultProxy.Rule(.error(503, "SlowDown"), method: "GET", count: 4),
            .init(.reset(afterBytes: 0), method: "GET", count: 2),
            .init(.loseReply, method: "GET", count: 2),
            .init(.cutReply(afterBytes: 0), method: "GET", count: 3),
            .init(.cutReply(afterBytes: 90_000), method: "GET", count: 5),
            .init(.cutReply(afterBytes: 5_000_000), method: "GET", count: 100),
        ],
        [small, large]
    )
    func reads(rule: FaultProxy.Rule, size: Int) async throws {
        try await withFaultyStorage([rule]) { test async throws in
            let content = pattern(size)
            try await test.direct.write(test.path, content)
            #expect(try await test.storage.bytes(test.path) == content)
            #expect(try await test.storage.bytes(test.path, range: 1000..<99_000) == Array(content[1000..<99_000]))
        }
    }

    @Test(
        "A server that hangs is asked again",
        arguments: [
            FaultProxy.Rule(.hang, method: "PUT", count: 1), .init(.hang, method: "POST", target: "uploadId", count: 1),
            .init(.withholdReply, method: "PUT", count: 1),
            .init(.withholdReply, method: "POST", target: "uploadId", count: 1),
            .init(.hang, method: "GET", count: 1), .init(.stall(afterBytes: 90_000), method: "GET", count: 1),
        ]
    )
    func hangs(rule: FaultProxy.Rule) async throws {
        try await withFaultyStorage([rule], policy: .impatient) { test async throws in
            let content = pattern(Self.large)
            try await test.storage.write(test.path, content, ifExists: .fail)
            #expect(try await test.storage.bytes(test.path) == content)
            #expect(try await everything(in: test.folder).count == 1)
            #expect(test.proxy.requests.contains { $0.fault != nil })
        }
    }

    @Test("A server that never recovers is given up after five minutes", arguments: [small, large])
    func storm(size: Int) async throws {
        let pauses = Pauses()
        let policy = RetryPolicy.quick(recordingPauses: pauses)
        try await withFaultyStorage([.init(.error(503, "SlowDown"), method: "PUT")], policy: policy) {
            test async throws in
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(size))
            }
            #expect(error?.code == .unavailable)
            let description = try #require(error?.description)
            let start = "\(test.path) cannot be written: \(test.proxy.endpoint) failed "
            #expect(description.hasPrefix(start))
            #expect(description.hasSuffix(" minutes (SlowDown: Made up); try again later"))
            let words = description.dropFirst(start.count).split(separator: " ").prefix(5).joined(separator: " ")
            let numbers = words.split(separator: " ").compactMap { Int($0) }
            #expect(words == "\(numbers.first ?? 0) times in \(numbers.last ?? 0) minutes")
            // What is missing to five minutes is the time that the requests themselves took.
            #expect(pauses.all.reduce(.zero, +) >= policy.giveUpAfter / 2)
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("Time counts from the first failure, so a long attempt is repeated", arguments: [small, large])
    func longAttempts(size: Int) async throws {
        let pauses = Pauses()
        var policy = RetryPolicy.quick(recordingPauses: pauses)
        // The clock moves on with every look at it: each attempt takes longer than all of the patience.
        let clock = policy.clock
        policy.clock = {
            pauses.note(.seconds(400))
            return clock()
        }
        try await withFaultyStorage([.init(.error(503, "SlowDown"), method: "PUT", count: 2)], policy: policy) {
            test async throws in
            try await test.storage.write(test.path, pattern(size))
            #expect(try await test.direct.bytes(test.path) == pattern(size))
        }
    }

    @Test(
        "A server is not asked again before the time that it names, within reason",
        arguments: [
            ("7", Duration.seconds(7)), ("4000", .seconds(60)), ("Fri, 24 May 2013 00:00:30 GMT", .seconds(30)),
        ]
    )
    func retryAfter(header: String, pause: Duration) async throws {
        let pauses = Pauses()
        var policy = RetryPolicy.quick(recordingPauses: pauses)
        policy.random = { 0 }
        policy.now = { Date(timeIntervalSince1970: 1_369_353_600) }
        let refusal = LoopbackService.Reply(503, headers: ["Retry-After": header])
        try await LoopbackService.withService { _ in
            pauses.all.isEmpty ? refusal : .init(404)
        } _: {
            [policy] service async throws in
            let options = S3Options(accessKeyID: "a", secretAccessKey: "b", endpointURL: service.endpoint)
            let storage = S3Storage(options: options, environment: [:], policy: policy)
            #expect(try await storage.info(.s3(bucket: "bucket", key: "key")) == nil)
            try await storage.shutdown()
        }
        #expect(pauses.all == [pause])
    }

    @Test("Another writer's conflict is waited for", arguments: [small, large])
    func conflicts(size: Int) async throws {
        let conflict = FaultProxy.Fault.error(409, "ConditionalRequestConflict")
        let rules: [FaultProxy.Rule] =
            size == Self.small
            ? [.init(conflict, method: "PUT", count: 2)]
            : [.init(conflict, method: "POST", target: "uploadId", count: 2)]
        try await withFaultyStorage(rules) { test async throws in
            try await test.storage.write(test.path, pattern(size), ifExists: .fail)
            #expect(try await test.direct.bytes(test.path) == pattern(size))
            #expect(test.proxy.requests.filter { $0.fault != nil }.count == 2)
            #expect(try await everything(in: test.folder).count == 1)
        }
        try await withFaultyStorage([.init(conflict, method: "PUT"), .init(conflict, method: "POST")]) {
            test async throws in
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(Self.small), ifExists: .fail)
            }
            #expect(error?.code == .conflict)
        }
    }

    @Test("Credentials that can only write are enough to write", arguments: [small, large])
    func writeOnly(size: Int) async throws {
        let denied = FaultProxy.Fault.error(403, "AccessDenied")
        let rules: [FaultProxy.Rule] = [
            .init(denied, method: "HEAD"), .init(denied, method: "GET"), .init(denied, method: "DELETE"),
        ]
        try await withFaultyStorage(rules) { test async throws in
            try await test.storage.checkWritable(test.folder)
            try await test.storage.write(test.path, pattern(size), ifExists: .fail)
            #expect(try await test.direct.bytes(test.path) == pattern(size))
            // Not all servers heed a condition when they complete an upload.
            guard size == Self.small else { return }
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(size, seed: 2), ifExists: .fail)
            }
            #expect(error?.code == .alreadyExists)
            #expect(try await test.direct.bytes(test.path) == pattern(size))
        }
    }

    @Test("Nothing is overwritten where neither looking nor a condition is possible")
    func writeOnlyWithoutConditions() async throws {
        let rules: [FaultProxy.Rule] = [
            .init(.error(403, "AccessDenied"), method: "HEAD"), .init(.error(403, "AccessDenied"), method: "GET"),
            .init(.error(501, "NotImplemented"), method: "PUT"),
        ]
        try await withFaultyStorage(rules) { test async throws in
            await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, [1], ifExists: .fail)
            }
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("White space before a reply's document is skipped, of errors and of success")
    func leadingSpace() async throws {
        let space = String(repeating: "\n   ", count: 2000)
        let failure = space + "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"
        try await withFaultyStorage(
            [.init(.reply(status: 200, body: failure), method: "POST", target: "uploadId", count: 2)]
        ) { test async throws in
            try await test.storage.write(test.path, pattern(Self.large), ifExists: .fail)
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
            // Neither was the upload aborted meanwhile, nor were all parts sent again.
            #expect(!test.requests.contains("DELETE"))
            #expect(test.requests.filter { $0 == "PUT" }.count == 2)
        }
        let success = space + "<?xml version=\"1.0\"?><InitiateMultipartUploadResult><UploadId>7</UploadId>"
        try await withFaultyStorage([
            .init(
                .reply(status: 200, body: success + "</InitiateMultipartUploadResult>"),
                method: "POST",
                target: "uploads"
            ), .init(.reply(status: 204), method: "DELETE"),
        ]) { test async throws in
            try await test.storage.checkWritable(test.folder)
            #expect(test.requests == ["POST!", "PUT", "DELETE!"])
        }
    }

    @Test("A server may be silent for long while it puts parts together")
    func slowCompletion() async throws {
        var policy = RetryPolicy.impatient
        policy.completion = .seconds(600)
        let rules = [FaultProxy.Rule(.delay(.seconds(3)), method: "POST", target: "uploadId")]
        try await withFaultyStorage(rules, policy: policy) { test async throws in
            try await test.storage.write(test.path, pattern(Self.large))
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
            #expect(test.requests.filter { $0 == "POST!" }.count == 1)
        }
    }

    @Test("An upload that was finished although all replies say otherwise is recognised, and not aborted")
    func finishedAfterAll() async throws {
        try await withFaultyStorage([
            .init(.loseReply, method: "POST", target: "uploadId", count: 1),
            .init(.error(504, "GatewayTimeout"), method: "POST", target: "uploadId"),
        ]) { test async throws in
            try await test.storage.write(test.path, pattern(Self.large))
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
            #expect(!test.requests.contains("DELETE"))
        }
    }

    @Test("A server is not retried past the deadline")
    func deadline() async throws {
        var policy = RetryPolicy.quick
        policy.giveUpAfter = .zero
        try await withFaultyStorage([.init(.error(503, "SlowDown"))], policy: policy) { test async throws in
            await #expect(throws: StorageError.self) { try await test.storage.info(test.path) }
            #expect(test.requests == ["HEAD!"])
        }
    }

    @Test("A server that has never answered is given up early")
    func neverAnswers() async throws {
        try await withFaultyStorage([.init(.hang)], policy: .impatient) { test async throws in
            let error = await #expect(throws: StorageError.self) { try await test.storage.list(test.folder) }
            #expect(error?.code == .timedOut)
            #expect(
                error?.description == "\(test.folder) cannot be listed: \(test.proxy.endpoint) did not answer in time "
                    + "(4 attempts); check the network and the endpoint URL, then try again"
            )
            #expect(test.requests == ["GET!", "GET!", "GET!", "GET!"])
        }
    }

    @Test(
        "A refusal is not retried",
        arguments: [
            (400, "InvalidArgument"), (403, "AccessDenied"), (404, "NoSuchBucket"), (405, "MethodNotAllowed"),
            (507, ""),
        ]
    )
    func refusals(status: Int, code: String) async throws {
        try await withFaultyStorage([.init(.error(status, code))]) { test async throws in
            let error = await #expect(throws: StorageError.self) { try await test.storage.write(test.path, [1]) }
            #expect(error?.description.contains("\(test.path)") == true)
            // A HEAD looks whether the object is there after all.
            #expect(test.requests.filter { $0 == "PUT!" }.count == 1)
        }
    }

    @Test("Bytes that are flipped on the way there are not kept", arguments: [small, large])
    func flippedRequest(size: Int) async throws {
        try await withFaultyStorage([.init(.flipRequest(at: 50_000), method: "PUT")]) { test async throws in
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(size))
            }
            #expect(error?.code == .corrupted)
            #expect(error?.description.contains("\(test.proxy.endpoint) received other bytes than were sent") == true)
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("Bytes that are flipped on the way back are not passed on")
    func flippedReply() async throws {
        try await withFaultyStorage([.init(.flipReply(at: 50_000), method: "GET")]) { test async throws in
            try await test.direct.write(test.path, pattern(Self.small))
            let error = await #expect(throws: StorageError.self) { try await test.storage.bytes(test.path) }
            #expect(error?.code == .corrupted)
            #expect(
                error?.description == "\(test.path) did not arrive as it was stored: its checksum is wrong; "
                    + "check the network and any proxies, then try again"
            )
        }
    }

    @Test("An endless series of broken replies ends in an error")
    func alwaysShort() async throws {
        try await withFaultyStorage([.init(.cutReply(afterBytes: 0), method: "GET")]) { test async throws in
            try await test.direct.write(test.path, pattern(Self.small))
            let error = await #expect(throws: StorageError.self) { try await test.storage.bytes(test.path) }
            #expect(error?.description.contains("\(test.path) cannot be read: ") == true)
        }
    }

    @Test("Two versions of a file are never mixed")
    func replacedWhileReading() async throws {
        try await withFaultyStorage([.init(.cutReply(afterBytes: 1 << 20), method: "GET")]) { test async throws in
            try await test.direct.write(test.path, pattern(Self.large))
            let opened = try await test.storage.read(test.path)
            try await test.direct.write(test.path, pattern(Self.large, seed: 2))
            let error = await #expect(throws: StorageError.self) { try await opened.collect(upTo: .max) }
            #expect(error?.code == .changedWhileReading)
            #expect(
                error?.description
                    == "\(test.path) was changed or deleted while it was being read; try again when nothing writes to it"
            )
        }
    }

    @Test("Nothing is left when finishing an upload fails for good")
    func completeFails() async throws {
        try await withFaultyStorage([.init(.error(500, "InternalError"), method: "POST", target: "uploadId")]) {
            test async throws in
            let error = await #expect(throws: StorageError.self) {
                try await test.storage.write(test.path, pattern(Self.large))
            }
            #expect(error?.code == .unavailable)
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("A finished upload is recognised when the reply to that is lost")
    func completeLost() async throws {
        try await withFaultyStorage([.init(.loseReply, method: "POST", target: "uploadId", count: 1)]) {
            test async throws in
            let info = try await test.storage.write(test.path, pattern(Self.large))
            #expect(info.size == Int64(Self.large))
            #expect(test.requests.suffix(4).contains("HEAD"))
            #expect(try await test.direct.bytes(test.path) == pattern(Self.large))
        }
    }

    @Test("Nothing is left when a write is cancelled while it hangs", arguments: [small, large])
    func cancelled(size: Int) async throws {
        var policy = RetryPolicy.quick
        policy.stall = .seconds(3600)
        try await withFaultyStorage([.init(.hang, method: "PUT")], policy: policy) { test async throws in
            let writing = Task { try await test.storage.write(test.path, pattern(size)) }
            while !test.requests.contains("PUT!") { await Task.yield() }
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("A request that makes a file visible is finished although the write is cancelled meanwhile")
    func cancelledOnItsWay() async throws {
        try await withFaultyStorage([.init(.delay(.milliseconds(200)), method: "PUT")]) { test async throws in
            let writing = Task { try await test.storage.write(test.path, pattern(Self.small)) }
            while !test.requests.contains(where: { $0.hasPrefix("PUT") }) { await Task.yield() }
            writing.cancel()
            #expect(try await writing.value.size == test.direct.info(test.path)?.size)
        }
    }

    @Test("An object that was published after the write was cancelled is removed")
    func cancelledAfterPublishing() async throws {
        var policy = RetryPolicy.quick
        policy.stall = .seconds(3600)
        try await withFaultyStorage([.init(.withholdReply, method: "PUT")], policy: policy) { test async throws in
            let writing = Task { try await test.storage.write(test.path, pattern(Self.small)) }
            while try await test.direct.info(test.path) == nil { await Task.yield() }
            writing.cancel()
            // The server may have answered just before: then the file is there and the write says so.
            guard case .failure(let error) = await writing.result else { return }
            #expect(error is CancellationError)
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("A wrong clock on this side is corrected", arguments: [-3600.0, 3600])
    func clockSkew(offset: Double) async throws {
        var policy = RetryPolicy.quick
        policy.now = { Date.now.addingTimeInterval(offset) }
        try await withFaultyStorage([], policy: policy) { test async throws in
            #expect(try await test.storage.info(test.path) == nil)
            try await test.storage.write(test.path, [1])
            #expect(try await test.storage.bytes(test.path) == [1])
            // Refused once, corrected, and right from then on.
            #expect(test.requests == ["HEAD", "HEAD", "PUT", "GET"])
        }
    }

    @Test("Different clocks are reported when correcting does not help")
    func hopelessClock() async throws {
        try await withFaultyStorage([.init(.error(403, "RequestTimeTooSkewed"))]) { test async throws in
            let error = await #expect(throws: StorageError.self) { try await test.storage.checkWritable(test.folder) }
            #expect(error?.code == .clockSkew)
            #expect(
                error?.description == "\(test.folder) cannot be written: the clocks of this machine and of "
                    + "\(test.proxy.endpoint) are too far apart; set the clock"
            )
        }
    }

    @Test(
        "A request is repeated for the bucket's own region",
        arguments: [
            FaultProxy.Fault.reply(status: 301, headers: ["x-amz-bucket-region": "eu-central-1"]),
            .reply(status: 400, headers: ["x-amz-bucket-region": "eu-central-1"]),
            .reply(
                status: 400,
                body:
                    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-central-1</Region></Error>"
            ),
        ]
    )
    func region(fault: FaultProxy.Fault) async throws {
        try await withFaultyStorage([.init(fault, count: 1)]) { test async throws in
            try await test.storage.write(test.path, [1])
            #expect(test.requests == ["PUT!", "PUT"])
            test.proxy.setRules([.init(fault)])
            // It says so again although the region is right: no endless loop.
            await #expect(throws: StorageError.self) { try await test.storage.list(test.folder) }
            #expect(test.requests == ["PUT!", "PUT", "GET!"])
        }
    }

    @Test("A request is repeated once with fresh credentials when they have expired")
    func expired() async throws {
        try await withFaultyStorage([.init(.error(400, "ExpiredToken"), count: 1)]) { test async throws in
            try await test.storage.write(test.path, [1])
            test.proxy.setRules([.init(.error(400, "ExpiredToken"))])
            let error = await #expect(throws: StorageError.self) { try await test.storage.list(test.folder) }
            #expect(error?.code == .expiredCredentials)
            #expect(
                error?.description
                    == "\(test.folder) cannot be listed: the credentials from the configuration have expired; renew them"
            )
            #expect(test.requests == ["PUT!", "PUT", "GET!", "GET!"])
        }
    }

    @Test("The uploads that broken writes have left are found and aborted, others stay")
    func leftUploads() async throws {
        try await withFaultyStorage([.init(.reset(afterBytes: 0), method: "DELETE")], policy: .impatient) {
            test async throws in
            // As after a process that was killed: the upload's abort does not arrive.
            let source = PolledBytes(bytes: pattern(Self.large)) {
                try await test.direct.unfinishedWrites(test.folder, before: .distantFuture).first?.size == 6 << 20
            }
            await #expect(throws: ByteSource.Broken.self) {
                try await test.storage.write(test.path, ifExists: .fail, from: source)
            }
            let found = try await test.direct.unfinishedWrites(test.folder, before: .distantFuture)
            #expect(found.map(\.path) == [test.path])
            #expect(found.map(\.size) == [6 << 20])
            #expect(found.allSatisfy { abs($0.modified.timeIntervalSinceNow) < 3600 })
            #expect(
                try await test.direct.unfinishedWrites(test.folder, before: Date(timeIntervalSinceNow: -7200)) == []
            )
            #expect(try await test.direct.unfinishedWrites(test.path, before: .distantFuture) == [])
            for write in found {
                try await test.direct.discard(write)
                try await test.direct.discard(write)
            }
            #expect(try await everything(in: test.folder) == [])
        }
    }

    @Test("A server without conditional writes is asked whether the file exists")
    func noConditions() async throws {
        try await withFaultyStorage([.init(.error(501, "NotImplemented"), method: "PUT", count: 1)]) {
            test async throws in
            try await test.storage.write(test.path, [1], ifExists: .fail)
            #expect(test.requests == ["HEAD", "PUT!", "PUT"])
        }
    }
}
