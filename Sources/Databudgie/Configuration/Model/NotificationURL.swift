import FoundationEssentials

/// The address of a receiver of notifications: for many services whoever knows it can send to it.
public struct NotificationURL: Sendable, Equatable {
    /// The server's name or address, without the port.
    public let host: String

    /// The header `Authorization` for the user and the password in the address (RFC 7617); nil when it has none.
    let authorization: String?
    /// The scheme, the host and the port.
    private let server: String
    /// With its percent signs, and without a slash at its end.
    private let path: String
    /// With its percent signs.
    private let query: String?

    /// Takes an address apart; nil when the text is none.
    ///
    /// - Parameter text: `http://` or `https://`, a host, and what else there is; a fragment is ignored.
    public init?(_ text: String) {
        let isPlain = text.unicodeScalars.allSatisfy {
            !$0.properties.isWhitespace && $0.properties.generalCategory != .control
        }
        guard isPlain, let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = url.host, !host.isEmpty,
            url.port.map((1...65_535).contains) ?? true
        else { return nil }
        self.host = host
        authorization = url.user.map { user in
            "Basic " + Data("\(user):\(url.password ?? "")".utf8).base64EncodedString()
        }
        // An IPv6 address needs its brackets.
        let name = host.utf8.contains(UInt8(ascii: ":")) && host.utf8.first != UInt8(ascii: "[") ? "[\(host)]" : host
        server = "\(scheme)://\(name)" + (url.port.map { ":\($0)" } ?? "")
        var path = url.percentEncodedPath.utf8[...]
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        self.path = String(decoding: path, as: UTF8.self)
        query = url.percentEncodedQuery
    }

    /// The host, and the port if the address names one.
    var authority: String {
        server.split(separator: "/", maxSplits: 1).last.map { String($0.drop { $0 == "/" }) } ?? host
    }

    /// The address to send to, without user and password.
    ///
    /// - Parameter component: What comes after the path, and before the query: `start`.
    /// - Returns: A whole URL.
    func text(appending component: String? = nil) -> String {
        let whole = component.map { "\(path)/\($0)" } ?? (path.isEmpty ? "/" : path)
        return server + whole + (query.map { "?\($0)" } ?? "")
    }
}

extension NotificationURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The server alone; `***` stands for what else there is.
    public var description: String { path.isEmpty && query == nil ? server : "\(server)/***" }

    /// The same as the description, so that no debugger or test report shows more.
    public var debugDescription: String { description }

    /// Nothing but the description, so that `dump` shows no more.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
