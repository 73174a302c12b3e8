import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

/// Proxies, certificates, and servers that speak another protocol than the URL says.
@Suite("The way to S3")
struct S3TransportTests {
    private static let listing =
        "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"

    private let answer: @Sendable (LoopbackService.Request) -> LoopbackService.Reply = { _ in .init(200, Self.listing) }

    /// Lists a bucket of a server that answers with an empty list, or the given reply.
    private func list(_ endpoint: String, _ environment: [String: String] = [:], profile: String? = nil) async throws {
        let options = S3Options(
            accessKeyID: "id",
            secretAccessKey: "secret",
            profile: profile,
            endpointURL: endpoint
        )
        let storage = S3Storage(options: options, environment: environment, policy: .quick)
        do {
            #expect(try await storage.list(.s3(bucket: "bucket", key: "folder")) == [])
            try await storage.shutdown()
        } catch {
            try? await storage.shutdown()
            throw error
        }
    }

    /// The message and hint of the failure, which must not have been tried again.
    private func failure(_ endpoint: String, _ environment: [String: String] = [:]) async -> (
        StorageError.Code?, String
    ) {
        let error = await #expect(throws: StorageError.self) { try await list(endpoint, environment) }
        return (error?.code, error?.description ?? "")
    }

    @Test("Certificates of AWS_CA_BUNDLE and of the profile's ca_bundle are trusted, others are not")
    func certificates() async throws {
        try await LoopbackService.withEncryptedService(answer) { service, certificate async throws in
            try await list(service.endpoint, ["AWS_CA_BUNDLE": certificate.path])
            let (code, text) = await failure(service.endpoint)
            #expect(code == .untrustedServer)
            #expect(
                text
                    == "s3://bucket/folder cannot be listed: the certificate of \(service.endpoint) is not trusted; "
                    + "check the endpoint URL, or name the certificate of its authority in AWS_CA_BUNDLE"
            )
            try await withHome(config: "[profile mine]\nca_bundle = \(certificate.path)") {
                try await list(service.endpoint, $0, profile: "mine")
            }
            let missing = await failure("https://localhost:1", ["AWS_CA_BUNDLE": "\(certificate.path).none"])
            #expect(missing.0 == .invalidConfiguration)
            #expect(
                missing.1
                    == "AWS_CA_BUNDLE names \(certificate.path).none, which cannot be read as a file of certificates; "
                    + "name a file of certificates in PEM form"
            )
        }
    }

    @Test("A host name that the certificate lacks is named as the reason")
    func otherHostName() async throws {
        try await LoopbackService.withEncryptedService(answer) { service, certificate async throws in
            let endpoint = service.endpoint.replacing("localhost", with: "127.0.0.1")
            let (code, text) = await failure(endpoint, ["AWS_CA_BUNDLE": certificate.path])
            #expect(code == .untrustedServer)
            #expect(text.contains("the certificate of \(endpoint) is for another host name; give the endpoint URL"))
            #expect(service.requests.isEmpty)
        }
    }

    @Test("https for a server without TLS is said in plain words")
    func plainServer() async throws {
        try await LoopbackService.withService { _ in
            .init(200, Self.listing)
        } _: { service async throws in
            let endpoint = service.endpoint.replacing("http:", with: "https:")
            let (code, text) = await failure(endpoint)
            #expect(code == .unavailable)
            #expect(
                text.contains(
                    "\(endpoint) does not answer in TLS, so it probably expects http, not https; "
                        + "begin the endpoint URL with http://, or correct its port"
                )
            )
        }
    }

    @Test("http for a server with TLS is said in plain words, whether or not it explains itself")
    func encryptedServer() async throws {
        try await LoopbackService.withEncryptedService(answer) { service, _ async throws in
            let endpoint = service.endpoint.replacing("https://localhost", with: "http://127.0.0.1")
            let (code, text) = await failure(endpoint)
            #expect(code == .unavailable)
            #expect(
                text.contains(
                    "the connection to \(endpoint) failed (4 attempts): remote connection closed; "
                        + "begin the endpoint URL with https:// if the server expects it, or check the network"
                )
            )
        }
        // The alert of TLS for a message that was not expected.
        try await TunnelProxy.withProxy(to: "http://127.0.0.1:1", reply: [0x15, 3, 1, 0, 2, 2, 10]) {
            server async throws in
            let (code, text) = await failure(server.endpoint)
            #expect(code == .unavailable)
            #expect(
                text.contains(
                    "\(server.endpoint) does not answer in HTTP, so it probably expects https, not http; "
                        + "begin the endpoint URL with https://, or correct its port"
                )
            )
            #expect(server.requests.count == 1)
        }
        let explanation = LoopbackService.Reply(400, "Client sent an HTTP request to an HTTPS server.\n")
        try await LoopbackService.withService { _ in
            explanation
        } _: { service async throws in
            let (code, text) = await failure(service.endpoint)
            #expect(code == .unavailable)
            #expect(text.contains("so it probably expects https, not http"))
            #expect(service.requests.count == 1)
        }
    }

    @Test("Requests go through the environment's proxy, with its password, and past it where NO_PROXY says so")
    func proxy() async throws {
        try await LoopbackService.withService { _ in
            .init(200, Self.listing)
        } _: { service async throws in
            try await TunnelProxy.withProxy(to: service.endpoint) { proxy async throws in
                let address = proxy.endpoint.replacing("://", with: "://user:pass@")
                try await list(
                    "http://store.invalid:9000",
                    ["HTTP_PROXY": address, "HTTPS_PROXY": "http://127.0.0.1:1"]
                )
                #expect(proxy.requests.count == 1)
                let request = proxy.requests.first ?? ""
                #expect(request.hasPrefix("CONNECT store.invalid:9000 HTTP/1.1"))
                #expect(request.lowercased().contains("proxy-authorization: basic dxnlcjpwyxnz"))
                #expect(service.requests.first?.headers["host"] == "store.invalid:9000")
                try await list(service.endpoint, ["HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"])
                #expect(proxy.requests.count == 1)
            }
        }
    }

    @Test("TLS goes through the proxy to the server, whose certificate counts")
    func proxyWithTLS() async throws {
        try await LoopbackService.withEncryptedService(answer) { service, certificate async throws in
            try await TunnelProxy.withProxy(to: service.endpoint) { proxy async throws in
                let environment = ["https_proxy": proxy.endpoint, "AWS_CA_BUNDLE": certificate.path]
                try await list("https://localhost:9443", environment)
                #expect(proxy.requests.first?.hasPrefix("CONNECT localhost:9443 ") == true)
                let (code, _) = await failure("https://store.invalid:9443", environment)
                #expect(code == .untrustedServer)
            }
        }
    }

    @Test("A proxy that wants a password is reported at once")
    func proxyPassword() async throws {
        try await TunnelProxy.withProxy(
            to: "http://127.0.0.1:1",
            reply: Array("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".utf8)
        ) {
            proxy async throws in
            let (code, text) = await failure("http://store.invalid", ["HTTP_PROXY": proxy.endpoint])
            #expect(code == .unavailable)
            #expect(text.contains("the proxy before http://store.invalid demands a user and a password"))
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("STS is asked through the proxy, the metadata service of an instance past it")
    func credentialsAndProxies() async throws {
        try await LoopbackService.withService { request in
            switch request.path {
            case "/latest/api/token": .init(200, "token")
            case "/latest/meta-data/iam/security-credentials/": .init(200, "role")
            case "/latest/meta-data/iam/security-credentials/role":
                .init(200, #"{"AccessKeyId": "ASIAINSTANCE", "SecretAccessKey": "s", "Token": "t"}"#)
            default: TokenService.credentials("AssumeRoleWithWebIdentity")
            }
        } _: { service async throws in
            try await TunnelProxy.withProxy(to: service.endpoint) { proxy async throws in
                try await withTemporaryFolder { folder async throws in
                    try Data("identity".utf8).write(to: URL(filePath: "\(folder)/token"))
                    let environment = [
                        "HTTP_PROXY": proxy.endpoint, "AWS_ENDPOINT_URL_STS": "http://sts.invalid", "HOME": folder,
                        "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint,
                    ]
                    let instance = try await found(S3Options(), environment)
                    #expect(instance?.accessKeyID == "ASIAINSTANCE")
                    #expect(proxy.requests.isEmpty)
                    let identity = [
                        "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": "\(folder)/token",
                    ]
                    let role = try await found(S3Options(), environment.merging(identity) { $1 })
                    #expect(role?.accessKeyID == "ASIAROLE")
                    #expect(proxy.requests.first?.hasPrefix("CONNECT sts.invalid:80 ") == true)
                }
            }
        }
    }

    @Test("A server that takes the bucket for a key is recognised when its files are listed")
    func bucketInEndpoint() async throws {
        let refusal = LoopbackService.Reply(404, "<Error><Code>NoSuchKey</Code></Error>")
        try await LoopbackService.withService { _ in
            refusal
        } _: { service async throws in
            let (code, text) = await failure(service.endpoint)
            #expect(code == .invalidConfiguration)
            #expect(
                text.contains("the endpoint URL seems to contain the bucket; remove the bucket from the endpoint URL")
            )
            let options = S3Options(accessKeyID: "i", secretAccessKey: "s", endpointURL: service.endpoint + "/bucket")
            let storage = S3Storage(options: options, environment: [:], policy: .quick)
            let path = StoragePath.s3(bucket: "bucket", key: "folder/file")
            let asked = service.requests.count
            for attempt in [
                { try await storage.checkWritable(path) }, { try await storage.write(path, [1]) },
                { _ = try await storage.list(path) }, { _ = try await storage.info(path) },
            ] as [@Sendable () async throws -> Void] {
                let error = await #expect(throws: StorageError.self) { try await attempt() }
                #expect(error?.code == .invalidConfiguration)
            }
            #expect(service.requests.count == asked)
            try await storage.shutdown()
        }
    }
}
