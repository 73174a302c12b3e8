import AsyncHTTPClient
import NIOHTTP1

/// A way in which client and server do not fit together, and which no further attempt changes.
enum TransportProblem: Sendable {
    case untrustedCertificate
    /// The certificate is trusted, but issued for other names.
    case otherHostName
    /// The URL says https; the server does not.
    case plainServer
    /// The URL says http; the server does not.
    case encryptedServer
    case proxyPassword

    /// Recognises a failure of the network; nil for all that may pass.
    /// - Parameters:
    ///   - failure: What the HTTP client threw.
    ///   - scheme: `http` or `https`, as in the URL.
    init?(_ failure: any Error, scheme: String) {
        if let failure = failure as? HTTPClientError {
            guard failure == .proxyAuthenticationRequired else { return nil }
            self = .proxyPassword
            return
        }
        if let failure = failure as? HTTPParserError {
            // What a TLS server sends to those who do not begin a handshake is not the beginning of a reply.
            guard scheme == "http", failure == .invalidConstant || failure == .invalidVersion else { return nil }
            self = .encryptedServer
            return
        }
        // The errors of the TLS library tell more by their texts than by their types.
        let text = String(reflecting: failure)
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            self = .untrustedCertificate
        } else if text.contains("failedToValidateHostname") || text.contains("serverHostnameImpossibleToMatch") {
            self = .otherHostName
        } else if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            self = .plainServer
        } else {
            return nil
        }
    }

    var code: StorageError.Code {
        switch self {
        case .untrustedCertificate, .otherHostName: .untrustedServer
        case .plainServer, .encryptedServer, .proxyPassword: .unavailable
        }
    }

    /// What is wrong, as a sentence about a server.
    func reason(at server: String) -> String {
        switch self {
        case .untrustedCertificate: "the certificate of \(server) is not trusted"
        case .otherHostName: "the certificate of \(server) is for another host name"
        case .plainServer: "\(server) does not answer in TLS, so it probably expects http, not https"
        case .encryptedServer: "\(server) does not answer in HTTP, so it probably expects https, not http"
        case .proxyPassword: "the proxy before \(server) demands a user and a password"
        }
    }

    var hint: String {
        switch self {
        case .untrustedCertificate:
            "check the endpoint URL, or name the certificate of its authority in AWS_CA_BUNDLE"
        case .otherHostName:
            "give the endpoint URL with a host name that is in the certificate"
        case .plainServer:
            "begin the endpoint URL with http://, or correct its port"
        case .encryptedServer:
            "begin the endpoint URL with https://, or correct its port"
        case .proxyPassword:
            "write them into HTTPS_PROXY, as in http://user:password@proxy:3128"
        }
    }
}
