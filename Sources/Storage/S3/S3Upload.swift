import FoundationEssentials
import NIOCore
import NIOHTTP1
import XML

/// Writes one object: with a PUT when it fits into one part, else part by part.
struct S3Upload: Sendable {
    /// Names the write in the object's metadata, so one whose reply was lost can be distinguished from another writer's.
    ///
    /// Hyphens only: Ceph loses underscores.
    static let tokenHeader = "x-amz-meta-databudgie-upload"

    let client: S3Client
    let bucket: String
    let key: String
    let ifExists: ExistingFile
    /// The headers of the request that creates the object.
    let headers: [(name: String, value: String)]
    let token: String
    /// What messages name.
    let path: StoragePath

    /// Prepares a write; the subject is what messages name when it is not the object.
    init(
        client: S3Client,
        bucket: String,
        key: String,
        ifExists: ExistingFile,
        storageClass: String? = nil,
        subject: StoragePath? = nil
    ) {
        path = subject ?? .s3(bucket: bucket, key: key)
        var options = client.options
        options.storageClass = storageClass
        self.client = client
        self.bucket = bucket
        self.key = key
        self.ifExists = ifExists
        token = hexadecimal((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        headers = [(name: Self.tokenHeader, value: token)] + options.objectHeaders
    }

    /// Uploads everything that the source gives; when anything fails nothing is left.
    func run<Bytes: AsyncSequence>(from bytes: Bytes) async throws -> FileInfo where Bytes.Element == [UInt8] {
        // A server that refuses what exists need not be asked before; for a long upload it is worth it.
        let looksFirst = try !client.refusesExisting(in: bucket)
        let isKnownFree = looksFirst ? try await refuseExisting() : false
        var reader = PartReader(bytes.makeAsyncIterator(), foreseeing: bytes as? any ForeseeableBytes)
        var first = ByteBuffer()
        try await reader.fill(&first, upTo: PartSizes.size(ofPart: 1, after: 0, expecting: reader.expectedBytes))
        try Task.checkCancellation()
        guard reader.isAtEnd else {
            if !looksFirst { _ = try await refuseExisting() }
            return try await uploadParts(first, &reader)
        }
        return try await put(first, isKnownFree: isKnownFree)
    }

    /// Begins an upload and aborts it; meanwhile a wrong part shows whether the server compares hashes.
    func rehearse() async throws {
        let upload = try await begin()
        await client.tryWrongPart(bucket: bucket, key: key, upload: upload)
        let aborted = Task { try await abort(upload) }
        do {
            try await aborted.value
        } catch let error as StorageError where error.code == .accessDenied {
            // Credentials that can only write do what they have to; an upload without parts, or of some bytes, costs nothing.
        }
    }

    /// Writes the object once more, as it is, on condition that it does not exist.
    ///
    /// - Parameter content: What the object has already.
    /// - Returns: Whether the server has refused, as it should; some ignore the condition, or do not know it.
    /// - Throws: `StorageError` when that could not be found out; `CancellationError`.
    func isRefused(_ content: [UInt8]) async throws -> Bool {
        do {
            return try await isRefused(whole(ByteBuffer(bytes: content)))
        } catch let error as StorageError where (error.underlying as? S3ErrorReply)?.status == 501 {
            return false
        }
    }

    // MARK: One request

    private func put(_ body: ByteBuffer, isKnownFree: Bool) async throws -> FileInfo {
        let request = whole(body)
        do {
            let reply = try await sendPublishing(request, isKnownFree: isKnownFree)
            if ifExists == .fail, client.conditionalWrites.count(in: bucket) { await learnAboutConditions(request) }
            return info(of: reply, entityTag: reply.entityTag, size: body.readableBytes)
        } catch {
            return try await settle(error, abort: nil)
        }
    }

    /// A write of the whole object in one request.
    private func whole(_ body: ByteBuffer) -> S3Request {
        var request = request(.PUT)
        request.body = body
        request.isWholeObject = true
        request.headers = headers
        return request
    }

    /// Finds out whether the server honours `If-None-Match`, by writing the object once more, as it is.
    private func learnAboutConditions(_ request: S3Request) async {
        // While it is not known, looking before writing has to do.
        _ = try? await isRefused(request)
    }

    private func isRefused(_ request: S3Request) async throws -> Bool {
        var request = request
        request.headers.append(Self.unlessExisting)
        do {
            _ = try await client.send(request)
            return false
        } catch let error as StorageError where error.code == .alreadyExists {
            client.conditionalWrites.noteRefusal(in: bucket)
            return true
        }
    }

    private static let unlessExisting = (name: "if-none-match", value: "*")

    // MARK: Many parts

    private func uploadParts<Source: AsyncIteratorProtocol>(
        _ first: ByteBuffer,
        _ reader: inout PartReader<Source>
    ) async throws -> FileInfo where Source.Element == [UInt8] {
        let upload = try await begin()
        do {
            let (parts, size) = try await sendParts(of: upload, first, &reader)
            try Task.checkCancellation()
            return try await complete(upload, parts, size: size, isKnownFree: try await refuseExisting())
        } catch {
            return try await settle(error) { try await abort(upload) }
        }
    }

    /// - Returns: The id of a new upload.
    func begin() async throws -> String {
        var request = request(.POST)
        request.query = [(name: "uploads", value: "")]
        request.headers = headers
        let reply = try await client.send(request)
        return try S3Document.decode(S3Document.NewUpload.self, from: reply, about: path).uploadID
    }

    private func sendParts<Source: AsyncIteratorProtocol>(
        of upload: String,
        _ first: ByteBuffer,
        _ reader: inout PartReader<Source>
    ) async throws -> (parts: [S3Document.Part], size: Int) where Source.Element == [UInt8] {
        try await withThrowingTaskGroup(of: SentPart.self) { group in
            var parts: [S3Document.Part] = []
            var size = 0
            var spare: [ByteBuffer] = []
            var next = first
            var number = 1
            var partSize = first.readableBytes
            func collect() async throws {
                guard let sent = try await group.next() else { return }
                parts.append(sent.part)
                spare.append(sent.buffer)
            }
            while next.readableBytes > 0 {
                guard number <= PartSizes.maximumParts else {
                    throw StorageError(
                        .outOfSpace,
                        "\(path) cannot be written: it is larger than 5 TiB, S3's limit for one object",
                        hint: "compress or split it",
                        path: path
                    )
                }
                while number - 1 - parts.count >= PartSizes.partsInFlight(ofSize: partSize) { try await collect() }
                size += next.readableBytes
                group.addTask { [next, number] in try await send(next, as: number, of: upload) }
                // No second reference: the buffer's memory is to be used again when the part has arrived.
                next = ByteBuffer()
                number += 1
                guard !reader.isAtEnd else { break }
                next = spare.popLast() ?? ByteBuffer()
                partSize = PartSizes.size(ofPart: number, after: size, expecting: reader.expectedBytes)
                next.clear(minimumCapacity: partSize)
                try await reader.fill(&next, upTo: partSize)
            }
            while parts.count < number - 1 { try await collect() }
            return (parts.sorted { $0.number < $1.number }, size)
        }
    }

    struct SentPart: Sendable {
        var part: S3Document.Part
        var buffer: ByteBuffer
    }

    func send(_ body: ByteBuffer, as number: Int, of upload: String) async throws -> SentPart {
        var request = request(.PUT)
        request.query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload)]
        request.isPart = true
        request.body = body
        let reply = try await client.send(request)
        guard let tag = reply.headers.first(name: "etag") else {
            throw StorageError.unexpectedReply(path, "part \(number) has no ETag")
        }
        return SentPart(part: S3Document.Part(number: number, entityTag: tag), buffer: body)
    }

    func complete(
        _ upload: String,
        _ parts: [S3Document.Part],
        size: Int,
        isKnownFree: Bool
    ) async throws -> FileInfo {
        var request = request(.POST)
        request.query = [(name: "uploadId", value: upload)]
        request.mayFailWithStatus200 = true
        request.takesLong = true
        request.body = ByteBuffer(bytes: S3Document.completion(of: parts).document)
        let reply = try await sendPublishing(request, isKnownFree: isKnownFree)
        let object = try S3Document.decode(S3Document.NewObject.self, from: reply, about: path)
        // Some servers do not return the ETag here, and it is worth checking that all parts are in.
        guard let head = try? await client.head(bucket: bucket, key: key, action: "written"), head.token == token else {
            return info(of: reply, entityTag: object.entityTag?.nonEmpty.map(S3Reply.unquoted), size: size)
        }
        guard head.info.size == size else {
            throw StorageError(
                .corrupted,
                "\(path) was written with \(size) bytes, but the server has \(head.info.size)",
                hint: "try again, and check the server",
                path: path
            )
        }
        return head.info
    }

    func abort(_ upload: String) async throws {
        var request = request(.DELETE)
        request.query = [(name: "uploadId", value: upload)]
        _ = try await client.send(request)
    }

    // MARK: What both have in common

    private func request(_ method: HTTPMethod) -> S3Request {
        S3Request(method: method, bucket: bucket, key: key, action: "written", subject: path)
    }

    /// Sends the request that makes the object visible; servers with conditional writes refuse it when the key is taken.
    ///
    /// A server that has the request carries it out even if nobody waits for the reply, so a cancellation does.
    private func sendPublishing(_ request: S3Request, isKnownFree: Bool) async throws -> S3Reply {
        try Task.checkCancellation()
        return try await finishingSoon {
            guard ifExists == .fail else { return try await client.send(request) }
            var conditional = request
            conditional.headers.append(Self.unlessExisting)
            do {
                return try await client.send(conditional)
            } catch let error as StorageError where (error.underlying as? S3ErrorReply)?.status == 501 {
                // A server without conditional writes: looking before writing has to do.
                let isFree = isKnownFree ? true : try await refuseExisting()
                guard isFree else { throw error }
                return try await client.send(request)
            }
        }
    }

    /// Looks whether the key is taken.
    /// - Returns: Whether it is known to be free. Credentials that can only write may not look, which is no reason to
    ///   stop: the server decides when it publishes the object.
    func refuseExisting() async throws -> Bool {
        guard ifExists == .fail else { return false }
        do {
            guard try await client.head(bucket: bucket, key: key, action: "written") != nil else { return true }
        } catch let error as StorageError where error.code == .accessDenied {
            return false
        }
        throw StorageError(
            .alreadyExists,
            "\(path) already exists",
            hint: "choose another name or remove the object",
            path: path
        )
    }

    /// Finds out what became of a write that failed, and leaves nothing of it behind.
    ///
    /// The server may have done what we asked although the reply was lost: the object then carries our token.
    /// - Returns: The object, when the write did succeed.
    /// - Throws: The error of the write, when it did not or the task is cancelled.
    func settle(
        _ error: any Error,
        abort: (@Sendable () async throws -> Void)?
    ) async throws -> FileInfo {
        let isWanted = (error as? StorageError).map { $0.code != .corrupted } == true && !Task.isCancelled
        // A task of its own, which the cancellation that may be the reason for all this does not reach.
        let settled = Task {
            try await ProgressWatch().run(stall: .seconds(60), limit: .seconds(60)) { () -> FileInfo? in
                // A server that was still busy may have finished: what it published is not to be called aborted.
                if abort != nil, isWanted, let found = try? await ours() { return found.info }
                do {
                    try await abort?()
                } catch let error as StorageError where (error.underlying as? S3ErrorReply)?.code == "NoSuchUpload" {
                    // Already aborted, or complete.
                }
                guard let found = try await ours() else { return nil }
                guard !isWanted else { return found.info }
                _ = try await client.send(request(.DELETE))
                return nil
            }
        }
        guard case .success(let info?) = await settled.result else { throw error }
        return info
    }

    /// The object, when it is what this write has written.
    private func ours() async throws -> S3Client.Head? {
        let found = try await client.head(bucket: bucket, key: key, action: "written")
        return found?.token == token ? found : nil
    }

    private func info(of reply: S3Reply, entityTag: String?, size: Int) -> FileInfo {
        let date = reply.headers.first(name: "date").flatMap(Date.init(http:))
        return FileInfo(path: path, size: Int64(size), modified: date ?? client.policy.now(), version: entityTag)
    }
}
