import FoundationEssentials

/// The proxies that the environment names: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case.
///
/// Source: "Using an HTTP proxy for the AWS CLI" in its user guide; names in lower case win, as in Python, in which those
/// tools are written.
package struct ProxySettings: Sendable {
    /// A proxy's address.
    package struct Proxy: Sendable, Hashable {
        /// Its name or address.
        package var host: String
        /// Its port.
        package var port: Int
        /// User and password in base 64.
        package var authorization: String?
    }

    private let proxies: [String: (name: String, url: String)]
    private let exceptions: [String]

    /// Reads the variables.
    ///
    /// - Parameter environment: All of them, by name.
    package init(_ environment: [String: String]) {
        func setting(_ name: String) -> (name: String, url: String)? {
            for name in [name.lowercased(), name] {
                if let value = environment[name]?.nonEmpty { return (name, value) }
            }
            return nil
        }
        proxies = ["http": setting("HTTP_PROXY"), "https": setting("HTTPS_PROXY")].compactMapValues { $0 }
        exceptions = (setting("NO_PROXY")?.url ?? "").split(separator: ",").map {
            String($0.filter { $0 != " " && $0 != "\t" }).lowercased()
        }
    }

    /// The proxy for a URL.
    ///
    /// - Parameter url: Where a request goes.
    /// - Returns: The proxy; nil when there is none.
    /// - Throws: `StorageError` when what the environment names is not a proxy that can be used.
    package func proxy(for url: String) throws(StorageError) -> Proxy? {
        guard !proxies.isEmpty, let target = URLComponents(string: url), let scheme = target.scheme?.lowercased(),
            let host = target.percentEncodedHost?.lowercased(), let (name, given) = proxies[scheme],
            !isException(host, port: target.port)
        else { return nil }
        let text = given.utf8.firstRange(of: "://".utf8) != nil ? given : "http://" + given
        guard let proxy = URLComponents(string: text), proxy.scheme?.lowercased() == "http",
            let proxyHost = proxy.host?.nonEmpty
        else {
            throw StorageError(
                .invalidConfiguration,
                "\(name) is \(quoting(redacted(given))), which is not the URL of an http proxy",
                hint: "give one like http://proxy.example.com:3128"
            )
        }
        let authorization = proxy.user.map { Data("\($0):\(proxy.password ?? "")".utf8).base64EncodedString() }
        return Proxy(host: bare(proxyHost), port: proxy.port ?? 80, authorization: authorization)
    }

    /// A host is meant by its own name, and by that of a domain which it is in.
    private func isException(_ host: String, port: Int?) -> Bool {
        let address = port.map { "\(host):\($0)" } ?? host
        return exceptions.contains { exception in
            if exception == "*" { return true }
            let name = String(exception.drop { $0 == "." })
            guard !name.isEmpty else { return false }
            return [host, bare(host), address].contains(name) || host.hasSuffix("." + name)
                || address.hasSuffix("." + name)
        }
    }

    /// An address of IPv6 without its brackets.
    private func bare(_ host: String) -> String {
        host.first == "[" && host.last == "]" ? String(host.dropFirst().dropLast()) : host
    }
}
