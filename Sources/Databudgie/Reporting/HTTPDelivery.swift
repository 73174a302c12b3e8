import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Storage

/// Posts what a run reports over HTTP: best effort, within a time limit, through the proxy that the environment names.
struct HTTPDelivery: Sendable {
    private let client: HTTPClient

    /// How the program names itself to servers.
    static let userAgent = "databudgie/\(DatabudgieVersion.current)"

    /// Opens connections for the body, and gives it up when the time is up.
    ///
    /// - Parameters:
    ///   - url: Where the body sends to: the environment may name a proxy for it.
    ///   - variables: The environment.
    ///   - limit: How long the body may take.
    ///   - body: What is sent.
    /// - Returns: What the body returns; nil when the time was up before.
    /// - Throws: `StorageError` when the proxy cannot be used; `CancellationError`.
    static func with<Value: Sendable>(
        _ url: String,
        variables: [String: String],
        limit: Duration,
        _ body: @escaping @Sendable (HTTPDelivery) async -> Value
    ) async throws -> Value? {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if let proxy = try ProxySettings(variables).proxy(for: url) {
            configuration.proxy = .server(
                host: proxy.host,
                port: proxy.port,
                authorization: proxy.authorization.map { .basic(credentials: $0) }
            )
        }
        let client = HTTPClient(configuration: configuration)
        // Not awaited: a name lookup that hangs must not delay the run's end.
        defer { client.shutdown { _ in } }
        return try await abandoning(after: limit) { await body(HTTPDelivery(client: client)) }
    }

    /// Posts a body.
    ///
    /// - Parameters:
    ///   - bytes: The body.
    ///   - headers: Headers by name.
    ///   - url: Where to.
    /// - Returns: The status of the reply.
    /// - Throws: The client's error, when there is no reply; `CancellationError`.
    func post(_ bytes: [UInt8], headers: [String: String], to url: String) async throws -> UInt {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "User-Agent", value: Self.userAgent)
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.body = .bytes(bytes)
        // The limit of all requests together ends this one as well, by cancelling it.
        let response = try await client.execute(request, deadline: .distantFuture)
        // The connection can be used again when the reply was read to its end.
        for try await _ in response.body {}
        return response.status.code
    }
}
