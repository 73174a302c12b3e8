import AsyncHTTPClient
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends signed requests to S3, and sends them again when that may help.
final class S3Client: Sendable {
    let policy: RetryPolicy
    /// Whether the server is known to compare parts with their signed SHA-256; nil until it was tried.
    let comparesParts = Mutex<Bool?>(nil)
    let conditionalWrites = ConditionalWrites()
    let options: S3Options
    private let environment: [String: String]
    private let state = Mutex(State())

    /// What was learned from replies.
    private struct State {
        var session: Session?
        /// Regions of buckets outside the configured one.
        var regions: [ExactString: String] = [:]
        /// Buckets that take no part without a checksum.
        var demandingChecksums: Set<ExactString> = []
        /// How far the server's clock is ahead of ours, in seconds.
        var clockOffset: TimeInterval = 0
        /// The server has answered something.
        var hasAnswered = false
        /// The server's time in its last reply, as HTTP writes it, and ours when it came.
        var lastDate: (text: String, received: Date)?
    }

    /// What is set up by the first request.
    private struct Session {
        var network: Network
        var settings: S3Settings
        var credentials: CachedCredentials
    }

    /// A reply that is too long to be one of S3's.
    private struct OversizedReply: Error, CustomStringConvertible {
        var description: String { "the reply is longer than 64 MiB" }
    }

    /// Remedies that are tried once a request.
    private enum Remedy {
        case clock, region, credentials, body, checksum
    }

    init(options: S3Options, environment: [String: String], policy: RetryPolicy) {
        self.options = options
        self.environment = environment
        self.policy = policy
    }

    /// Sends a request and receives the whole reply.
    /// - Throws: `StorageError`, or `CancellationError`.
    func send(_ request: S3Request) async throws -> S3Reply {
        try await attempt(request) { [self] session, prepared, watch, attempts in
            let limit = policy.limit(forBytes: request.body.readableBytes)
            let stall = request.takesLong ? policy.completion : policy.stall
            return try await watch.run(stall: stall, limit: limit) {
                let client = try session.network.client(for: prepared.url, mayBeSilentFor: stall)
                let response = try await client.execute(prepared, deadline: .now() + TimeAmount(limit))
                self.note(response.headers)
                let body = try await Self.body(of: response, watch: watch)
                let data = Data(body.readableBytesView)
                guard (200..<300).contains(response.status.code),
                    !(request.mayFailWithStatus200 && S3ErrorReply.isError(data))
                else { throw S3ErrorReply(status: response.status.code, headers: response.headers, body: data) }
                return S3Reply(
                    status: response.status.code,
                    headers: response.headers,
                    body: body,
                    attempts: attempts
                )
            }
        }
    }

    /// Sends a request and leaves the reply's body to be read.
    /// - Throws: `StorageError`, or `CancellationError`.
    func open(_ request: S3Request) async throws -> S3Stream {
        try await attempt(request) { [self] session, prepared, watch, _ in
            let limit = policy.limit(forBytes: 0)
            let stall = policy.stall
            return try await watch.run(stall: stall, limit: limit) {
                let client = try session.network.client(for: prepared.url, mayBeSilentFor: stall)
                let response = try await client.execute(prepared, deadline: .now() + TimeAmount(limit))
                self.note(response.headers)
                guard (200..<300).contains(response.status.code) else {
                    let body = try await Self.body(of: response, watch: watch)
                    throw S3ErrorReply(
                        status: response.status.code,
                        headers: response.headers,
                        body: Data(body.readableBytesView)
                    )
                }
                return S3Stream(headers: response.headers, status: response.status.code, body: response.body)
            }
        }
    }

    func shutdown() async throws {
        try await state.withLock { $0.session }?.network.shutdown()
    }

    /// Signs and sends until it works, no remedy is left, or time is up.
    private func attempt<Reply: Sendable>(
        _ request: S3Request,
        _ exchange: (Session, HTTPClientRequest, ProgressWatch, Int) async throws -> Reply
    ) async throws -> Reply {
        var request = request
        let session = try session()
        try session.settings.customEndpoint?.refuse(bucket: request.bucket)
        request.headers += options.requestHeaders
        let payloadHash = await Self.hash(request.pretendedBody ?? request.body)
        if session.settings.customEndpoint == nil, request.isWholeObject {
            // Amazon keeps it and gives it back to those who read; the signed hash guards what is on the way anyhow.
            request.headers.append((name: "x-amz-checksum-sha256", value: Data(payloadHash).base64EncodedString()))
        } else if isChecksumDemanded(for: request)
            || (session.settings.customEndpoint != nil && needsMD5(request))
        {
            request.headers.append((name: "content-md5", value: await Self.md5(request.body)))
        }
        var tried: Set<Remedy> = []
        var attempts = 0
        var patience = Patience(policy)
        while true {
            try Task.checkCancellation()
            attempts += 1
            let credentials = try await session.credentials.credentials()
            let watch = ProgressWatch()
            let body = WatchedBody(request.body, watch: watch)
            defer { body.release() }
            var requestedPause: Duration?
            patience.start()
            let prepared = prepare(request, body, hexadecimal(payloadHash), credentials, session.settings)
            func failure() -> S3Failure {
                failureContext(request, prepared.endpoint, attempts, patience.duration, credentials)
            }
            do {
                let reply = try await exchange(session, prepared.request, watch, attempts)
                state.withLock { $0.hasAnswered = true }
                return reply
            } catch let reply as S3ErrorReply {
                state.withLock { $0.hasAnswered = true }
                if let remedy = remedy(for: reply, request), tried.insert(remedy).inserted {
                    if try await apply(remedy, reply, &request, session, credentials) { continue }
                }
                patience.fail()
                guard reply.isTransient, request.pretendedBody == nil, mayRetry(patience) else {
                    throw failure().error(reply)
                }
                requestedPause = reply.requestedPause(at: serverTime())
            } catch {
                guard !Task.isCancelled, !(error is CancellationError) else { throw CancellationError() }
                guard !(error is StorageError) else { throw error }
                patience.fail()
                guard S3Failure.isTransient(error), request.pretendedBody == nil, mayRetry(patience) else {
                    throw failure().error(error)
                }
            }
            try await policy.sleep(policy.pause(afterAttempt: attempts, requested: requestedPause))
        }
    }

    /// What the message about a broken download needs to know.
    func failure(_ request: S3Request, _ patience: Patience) throws -> S3Failure {
        let settings = try session().settings
        let endpoint = settings.endpoint(region: region(of: request.bucket, settings))
        return failureContext(request, endpoint, patience.failures, patience.duration, nil)
    }

    private func failureContext(
        _ request: S3Request,
        _ endpoint: S3Endpoint,
        _ attempts: Int,
        _ duration: Duration,
        _ credentials: Credentials?
    ) -> S3Failure {
        S3Failure(
            path: request.path,
            action: request.action,
            isAboutBucket: request.key.isEmpty,
            endpoint: "\(endpoint.scheme)://\(endpoint.host)",
            attempts: attempts,
            duration: duration,
            credentials: credentials,
            headers: request.headers.map(\.name)
        )
    }

    /// Whether a bucket is known to take a request only with a checksum, as one with Object Lock.
    private func isChecksumDemanded(for request: S3Request) -> Bool {
        request.canHaveMD5 && state.withLock { $0.demandingChecksums.contains(ExactString(request.bucket)) }
    }

    /// A wrong address should be reported soon; a server that was there before will come back.
    private func mayRetry(_ patience: Patience) -> Bool {
        patience.isLeft && (state.withLock { $0.hasAnswered } || patience.failures < policy.maximumFirstAttempts)
    }

    private func remedy(for reply: S3ErrorReply, _ request: S3Request) -> Remedy? {
        if reply.isClockSkew(at: serverTime()) { return .clock }
        if reply.isWrongRegion { return .region }
        if reply.isExpiredToken { return .credentials }
        if reply.demandsChecksum, request.canHaveMD5 { return .checksum }
        // HEAD gives no reason: ask again in a way that does.
        if request.method == .HEAD, reply.code.isEmpty, [400, 403].contains(reply.status) { return .body }
        return nil
    }

    /// - Returns: Whether another attempt makes sense now.
    private func apply(
        _ remedy: Remedy,
        _ reply: S3ErrorReply,
        _ request: inout S3Request,
        _ session: Session,
        _ credentials: Credentials
    ) async throws -> Bool {
        switch remedy {
        case .clock:
            guard let date = reply.date else { return false }
            state.withLock { $0.clockOffset = date.timeIntervalSince(policy.now()) }
        case .region:
            guard let region = reply.region, region != self.region(of: request.bucket, session.settings) else {
                return false
            }
            state.withLock { $0.regions[ExactString(request.bucket)] = region }
        case .credentials:
            await session.credentials.discard(credentials)
        case .checksum:
            request.headers.append((name: "content-md5", value: await Self.md5(request.body)))
            state.withLock { _ = $0.demandingChecksums.insert(ExactString(request.bucket)) }
        case .body:
            request.method = .GET
            request.headers.append((name: "range", value: "bytes=0-0"))
        }
        return true
    }

    private func prepare(
        _ request: S3Request,
        _ body: WatchedBody,
        _ payloadHash: String,
        _ credentials: Credentials,
        _ settings: S3Settings
    ) -> (request: HTTPClientRequest, endpoint: S3Endpoint) {
        let region = region(of: request.bucket, settings)
        let endpoint = settings.endpoint(region: region)
        let (host, path) = endpoint.address(bucket: request.bucket, key: request.key)
        let headers = request.headers + [(name: "host", value: host)]
        let signed = SignatureV4.Request(
            method: request.method.rawValue,
            path: path,
            query: request.query,
            headers: headers,
            payloadHash: payloadHash
        )
        let added = SignatureV4(credentials: credentials, region: region).headers(for: signed, at: serverTime())
        let query = SignatureV4.canonicalQuery(request.query)
        var prepared = HTTPClientRequest(
            url: "\(endpoint.scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?\(query)")
        )
        prepared.method = request.method
        for header in headers + added { prepared.headers.add(name: header.name, value: header.value) }
        prepared.headers.add(name: "user-agent", value: "databudgie")
        let length = request.body.readableBytes
        if length > WatchedBody.sliceSize {
            prepared.body = .stream(body, length: .known(Int64(length)))
        } else if length > 0 {
            prepared.body = .bytes(request.body)
        }
        return (prepared, endpoint)
    }

    private static func body(of response: HTTPClientResponse, watch: ProgressWatch) async throws -> ByteBuffer {
        var body = ByteBuffer()
        for try await var part in response.body {
            watch.tick()
            // Pages of a listing stay far below this; a server that sends more is not S3.
            guard body.readableBytes < 64 << 20 else { throw OversizedReply() }
            body.writeBuffer(&part)
        }
        return body
    }

    /// Hashes a body apart from the caller's actor.
    @concurrent
    private static func hash(_ body: ByteBuffer) async -> [UInt8] {
        body.withUnsafeReadableBytes { Array(SHA256.hash(data: $0)) }
    }

    @concurrent
    private static func md5(_ body: ByteBuffer) async -> String {
        Data(body.withUnsafeReadableBytes { Array(Insecure.MD5.hash(data: $0)) }).base64EncodedString()
    }

    private func note(_ headers: HTTPHeaders) {
        guard let text = headers.first(name: "date") else { return }
        state.withLock { $0.lastDate = (text, policy.now()) }
    }

    /// How far the server's clock is ahead of ours by its last reply, in seconds and to the second; nil before the first one.
    var clockDifference: TimeInterval? {
        guard let (text, received) = state.withLock({ $0.lastDate }), let date = Date(http: text) else { return nil }
        return date.timeIntervalSince(received)
    }

    /// The time as the server sees it.
    private func serverTime() -> Date {
        policy.now().addingTimeInterval(state.withLock { $0.clockOffset })
    }

    private func region(of bucket: String, _ settings: S3Settings) -> String {
        state.withLock { $0.regions[ExactString(bucket)] } ?? settings.region
    }

    /// Whether the server is another one than Amazon's.
    var hasCustomEndpoint: Bool {
        get throws { try session().settings.customEndpoint != nil }
    }

    /// Whether a server is known to refuse to replace an object that must not exist.
    ///
    /// Amazon's does since August 2024 (Amazon S3 User Guide, "Adding preconditions to S3 operations with conditional requests").
    func refusesExisting(in bucket: String) throws -> Bool {
        try session().settings.customEndpoint == nil || conditionalWrites.areRefused(in: bucket)
    }

    /// What requests are signed with now, and the server that they go to.
    /// - Throws: `StorageError` when there are none, or a setting cannot be used; `CancellationError`.
    func identity() async throws -> (credentials: Credentials, endpoint: String) {
        let session = try session()
        let endpoint = session.settings.endpoint(region: session.settings.region)
        return (try await session.credentials.credentials(), "\(endpoint.scheme)://\(endpoint.host)")
    }

    /// Where the credentials come from.
    func credentialProvider() throws -> any CredentialProvider {
        try session().settings.credentials
    }

    private func session() throws -> Session {
        try state.withLock { state in
            if let session = state.session { return session }
            let files = ProfileFiles(options: options, environment: environment)
            let network = try Network(environment: environment, profile: files.settings(), policy: policy)
            let settings = try S3Settings.resolve(
                options,
                environment: environment,
                files: files,
                network: network,
                policy: policy
            )
            let session = Session(
                network: network,
                settings: settings,
                credentials: CachedCredentials(provider: settings.credentials, now: policy.now)
            )
            state.session = session
            return session
        }
    }
}
