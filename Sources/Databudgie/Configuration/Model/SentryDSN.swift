import FoundationEssentials
import Storage

/// The address to which a project's events are sent: `https://key@host/project`.
///
/// Its form is that of Sentry's developer documentation, "SDK Development: Overview, Parsing the DSN".
public struct SentryDSN: Sendable, Equatable {
    /// The server's name or address, without the port.
    public let host: String

    /// Where envelopes are posted to; without the key.
    let envelopeURL: String
    /// The key that is sent along; whoever knows it can send events.
    let publicKey: String
    /// The second key of old addresses; servers of today do without.
    let secretKey: String?
    private let origin: String
    private let path: String

    /// Takes an address apart; nil when the text is none.
    ///
    /// - Parameter text: `scheme://key[:secret]@host[:port][/path]/project`; a query is ignored.
    public init?(_ text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = url.host, !host.isEmpty,
            let key = url.user, Self.isName(key),
            url.password.map(Self.isName) ?? true,
            url.port.map((1...65_535).contains) ?? true,
            let slash = url.percentEncodedPath.lastIndex(of: "/")
        else { return nil }
        let project = String(url.percentEncodedPath[slash...].dropFirst())
        guard Self.isName(project) else { return nil }
        publicKey = key
        secretKey = url.password
        self.host = host
        origin = scheme + "://"
        // An IPv6 address needs its brackets.
        let server =
            (host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host) + (url.port.map { ":\($0)" } ?? "")
        path = server + url.percentEncodedPath
        envelopeURL = "\(origin)\(server)\(url.percentEncodedPath[..<slash])/api/\(project)/envelope/"
    }

    /// Keys and projects are names of a few characters, which need no quoting in a header or a path.
    private static func isName(_ text: String) -> Bool {
        // A star stands in printed configurations, which can be read again.
        !text.isEmpty
            && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_.*".utf8.contains($0) }
    }
}

extension SentryDSN: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address with `***` for its keys.
    public var description: String { "\(origin)***@\(path)" }

    /// The same as the description, so that no debugger or test report shows a key.
    public var debugDescription: String { description }

    /// Nothing but the description, so that `dump` shows no key.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
