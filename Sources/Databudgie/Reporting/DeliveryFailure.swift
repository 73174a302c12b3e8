import AsyncHTTPClient
import NIOHTTP1

/// Why a server got no request, or gave no answer, in words without any part of the URL, which may be a secret.
enum DeliveryFailure: Sendable, Equatable {
    case unknownHost
    case refused
    case unreachable
    case reset
    case timedOut
    case untrustedCertificate
    case otherHostName
    /// TLS failed for another reason; a server without TLS is one.
    case tls
    /// The URL says http, and the server expects TLS.
    case encryptedServer
    case closed
    case proxy
    case other

    /// Recognises a failure of the HTTP client.
    ///
    /// - Parameters:
    ///   - error: What the client has thrown.
    ///   - url: Where the request was sent to; its scheme tells whether TLS was to be expected.
    init(_ error: any Error, to url: String) {
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout,
                .tlsHandshakeTimeout:
                self = .timedOut
            case .proxyAuthenticationRequired, .invalidProxyResponse: self = .proxy
            case .remoteConnectionClosed: self = .closed
            default: self = .other
            }
            return
        }
        if error is HTTPParserError {
            self = url.startsWithBytes(of: "http:") ? .encryptedServer : .other
            return
        }
        // The errors of the network and TLS libraries tell more by their texts than by their types.
        let text = String(reflecting: error)
        let known: [(phrase: String, failure: DeliveryFailure)] = [
            ("CERTIFICATE_VERIFY_FAILED", .untrustedCertificate), ("failedToValidateHostname", .otherHostName),
            ("serverHostnameImpossibleToMatch", .otherHostName), ("Connection refused", .refused),
            ("Connection reset", .reset), ("unreachable", .unreachable), ("No route to host", .unreachable),
            ("timed out", .timedOut), ("connectTimeout", .timedOut), ("Name or service not known", .unknownHost),
            ("name resolution", .unknownHost), ("nown host", .unknownHost), ("UnknownHost", .unknownHost),
            ("dnsAError: Optional", .unknownHost), ("SocketAddressError", .unknownHost), ("DNS error", .unknownHost),
            ("SSL", .tls),
        ]
        self = known.first { text.containsBytes(of: $0.phrase) }?.failure ?? .other
    }

    /// What happened, as the end of a sentence.
    var message: String {
        switch self {
        case .unknownHost: "the server's name was not found"
        case .refused: "the server refused the connection"
        case .unreachable: "there is no route to the server"
        case .reset: "the server reset the connection"
        case .timedOut: "the server did not answer in time"
        case .untrustedCertificate: "the server's certificate is not trusted"
        case .otherHostName: "the server's certificate is for another host name"
        case .tls: "no TLS connection to the server could be made"
        case .encryptedServer: "the server does not answer in HTTP, so it probably expects https, not http"
        case .closed: "the server closed the connection without an answer"
        case .proxy: "the proxy refused the connection, or demands a user and a password"
        case .other: "the server cannot be reached"
        }
    }
}
