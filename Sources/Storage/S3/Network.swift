import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOSSL
import Synchronization

/// The HTTP clients of a storage: straight to the server, or through the proxy that the environment names for it.
///
/// What there is of them is created when it is needed and closed with the storage.
final class Network: Sendable {
    private let policy: RetryPolicy
    private let proxies: ProxySettings
    private let certificates: String?
    private let clients = Mutex<[Route: HTTPClient]>([:])

    /// The clients differ in these.
    private struct Route: Hashable {
        var proxy: ProxySettings.Proxy?
        /// How long the server may be silent.
        var silence: Duration
    }

    /// Reads what the environment and the profile say about proxies and certificates.
    /// - Throws: `StorageError` when the file of certificates cannot be read.
    init(environment: [String: String], profile: [String: String], policy: RetryPolicy) throws {
        self.policy = policy
        proxies = ProxySettings(environment)
        certificates = try Self.certificates(environment, profile)
    }

    deinit {
        for client in clients.withLock({ $0.values }) { client.shutdown { _ in } }
    }

    /// The client past all proxies, for what is on this machine or beside it.
    var direct: HTTPClient { client(Route(proxy: nil, silence: policy.stall)) }

    /// The client for a URL.
    /// - Parameters:
    ///   - url: Where the request goes.
    ///   - silence: How long the server may be silent; nil for the usual time.
    /// - Returns: The client.
    /// - Throws: `StorageError` when the environment's proxy cannot be used.
    func client(for url: String, mayBeSilentFor silence: Duration? = nil) throws -> HTTPClient {
        client(Route(proxy: try proxies.proxy(for: url), silence: silence ?? policy.stall))
    }

    /// Closes all connections.
    func shutdown() async throws {
        let open = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in open { try await client.shutdown() }
    }

    private func client(_ route: Route) -> HTTPClient {
        clients.withLock { clients in
            if let client = clients[route] { return client }
            let client = HTTPClient(configuration: configuration(route))
            clients[route] = client
            return client
        }
    }

    private func configuration(_ route: Route) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            // Redirects need another signature, so they are followed here and not there.
            redirectConfiguration: .disallow,
            // For bodies that are read slowly this ends the connection as well; reading then continues with a new one.
            timeout: .init(connect: .init(policy.connect), read: .init(route.silence)),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        // Tables × parts in flight, all to one host; a request that waits for a connection would time out.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
        configuration.connectionPool.idleTimeout = .seconds(20)
        if let proxy = route.proxy {
            configuration.proxy = .server(
                host: proxy.host,
                port: proxy.port,
                authorization: proxy.authorization.map { .basic(credentials: $0) }
            )
        }
        if let certificates {
            var security = TLSConfiguration.makeClientConfiguration()
            security.trustRoots = .file(certificates)
            configuration.tlsConfiguration = security
        }
        return configuration
    }

    /// The file of the authorities to trust instead of the system's.
    ///
    /// Source: "AWS_CA_BUNDLE" and "ca_bundle" in the AWS command line's user guide.
    private static func certificates(_ environment: [String: String], _ profile: [String: String]) throws -> String? {
        let (name, path) =
            if let path = environment["AWS_CA_BUNDLE"]?.nonEmpty {
                ("AWS_CA_BUNDLE", path)
            } else {
                ("the AWS profile's ca_bundle", profile["ca_bundle"] ?? "")
            }
        guard !path.isEmpty else { return nil }
        do {
            _ = try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw StorageError(
                .invalidConfiguration,
                "\(name) names \(path), which cannot be read as a file of certificates",
                hint: "name a file of certificates in PEM form",
                path: .local(path),
                underlying: error
            )
        }
        return path
    }
}
