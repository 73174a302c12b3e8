/// Reads connection URLs as libpq does (Postgres documentation, 34.1.1.2), and what libpq refuses as SQLAlchemy does.
///
/// SQLAlchemy allows `/`, `?` and `:` in a password as they are, and configurations written for it use them.
struct ConnectionURL {
    /// Cut by Unicode scalars: to `Substring` itself, a delimiter followed by a combining mark is another Character.
    private let remainder: Substring.UnicodeScalarView
    /// A `+driver` shows that the URL was written for SQLAlchemy, where a plus sign in an option's value is a space.
    private let hasDriver: Bool

    /// Reads the scheme.
    ///
    /// - Parameter text: A string that contains `://`.
    /// - Throws: ``PostgresError`` if the scheme is not one of Postgres.
    init(_ text: String) throws(PostgresError) {
        guard let separator = text.utf8.firstRange(of: "://".utf8) else {
            throw PostgresError(
                .invalidParameters,
                "the connection URL has no \"://\"",
                hint: "write postgresql://host/database"
            )
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        let parts = scheme.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0] == "postgresql" || parts[0] == "postgres" else {
            // What is not a scheme might be a password.
            let isScheme = scheme.wholeMatch(of: /[a-z][a-z0-9+.\-]*/) != nil
            throw PostgresError(
                .invalidParameters,
                "the connection URL begins with \(isScheme ? "\(scheme)://" : "an unknown scheme")",
                hint: "write postgresql:// or postgres://, which are the only ones supported"
            )
        }
        remainder = text[separator.upperBound...].unicodeScalars
        hasDriver = parts.count == 2
    }

    /// Reads everything after the scheme.
    ///
    /// - Returns: The values by libpq's keywords.
    /// - Throws: ``PostgresError`` if a host or an option cannot be read.
    func keywords() throws(PostgresError) -> [String: String] {
        var keywords: [String: String] = [:]
        var rest = remainder
        if let end = endOfCredentials(rest) {
            let credentials = rest[..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            keywords["user"] = credentials[0].percentDecoded()
            if credentials.count == 2 {
                keywords["password"] = credentials[1].percentDecoded()
            }
            rest = rest[rest.index(after: end)...]
        }
        let question = rest.firstIndex(of: "?")
        let place = rest[..<(question ?? rest.endIndex)]
        let slash = place.firstIndex(of: "/")
        try readHosts(place[..<(slash ?? place.endIndex)], into: &keywords)
        if let slash {
            let database = place[place.index(after: slash)...]
            guard !database.contains("@") || (keywords["user"] == nil && !database.contains(":")) else {
                throw Self.ambiguous
            }
            keywords["dbname"] = database.percentDecoded()
        }
        if let question {
            try readOptions(rest[rest.index(after: question)...], into: &keywords)
        }
        return keywords.filter { !$0.value.isEmpty }
    }

    /// The error of a URL whose password may have signs in it that end a password; no part of it is repeated.
    private static let ambiguous = PostgresError(
        .invalidParameters,
        "the connection URL has an @ whose meaning is not clear",
        hint: "write @ as %40, / as %2F, ? as %3F and # as %23 in a user, password or database"
    )

    /// Finds the `@` after user and password.
    private func endOfCredentials(_ text: Substring.UnicodeScalarView) -> String.Index? {
        guard let at = text.firstIndex(of: "@") else { return nil }
        guard let slash = text[..<at].firstIndex(where: { $0 == "/" || $0 == "?" }) else { return at }
        // `host:5432/database?option=a@b` has no password, `user:pass/word@host` and `user:12/34@host` have one.
        guard let colon = text[..<slash].firstIndex(of: ":") else { return nil }
        let isPort = text[text.index(after: colon)..<slash].allSatisfy {
            $0.isDigit || ",:[]".unicodeScalars.contains($0)
        }
        let isAddress = text.first == "["
        let hasOption = text[slash..<at].firstIndex(of: "?").map { text[$0..<at].contains("=") } ?? false
        return (isPort && hasOption) || isAddress || text[..<slash].contains(",") ? nil : at
    }

    private func readHosts(_ text: Substring.UnicodeScalarView, into keywords: inout [String: String])
        throws(PostgresError)
    {
        var hosts: [String] = []
        var ports: [String] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            var host = entry
            var port = entry[entry.endIndex...]
            let afterAddress =
                entry.first == "[" ? entry.firstIndex(of: "]").map { entry.index(after: $0) } : entry.startIndex
            guard let afterAddress else {
                throw PostgresError(
                    .invalidParameters,
                    "the connection URL has a \"[\" without \"]\" in its host",
                    hint: "add it"
                )
            }
            if let colon = entry[afterAddress...].firstIndex(of: ":") {
                host = entry[..<colon]
                port = entry[entry.index(after: colon)...]
            }
            if host.first == "[" {
                host = host.dropFirst().prefix { $0 != "]" }
            }
            guard port.allSatisfy(\.isDigit) else {
                // It is not repeated: it may be the end of a password with an "@" in it.
                throw PostgresError(
                    .invalidParameters,
                    "the connection URL has a port that is not a number",
                    hint: "correct it, and write @ as %40, : as %3A, / as %2F, ? as %3F and # as %23 in a password"
                )
            }
            guard !host.contains("@") else { throw Self.ambiguous }
            hosts.append(host.percentDecoded())
            ports.append(String(port))
        }
        keywords["host"] = hosts.contains { !$0.isEmpty } ? hosts.joined(separator: ",") : nil
        keywords["port"] = ports.contains { !$0.isEmpty } ? ports.joined(separator: ",") : nil
    }

    private func readOptions(_ text: Substring.UnicodeScalarView, into keywords: inout [String: String])
        throws(PostgresError)
    {
        var hosts: [String] = []
        for option in text.split(separator: "&") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].percentDecoded()
            // What looks like an option may be the end of a password with an "@" and a "?" in it.
            guard !text.contains("@") || (parts.count == 2 && ConnectionParameters.isKnown(name)) || name == "ssl"
            else {
                throw Self.ambiguous
            }
            guard parts.count == 2 else {
                throw PostgresError(
                    .invalidParameters,
                    "the connection option \"\(name)\" in the URL has no value",
                    hint: "write \(name)=…"
                )
            }
            let value = parts[1].percentDecoded(readingPlusAsSpace: hasDriver)
            switch name {
            case "ssl":
                // The name that JDBC and asyncpg use; libpq knows only "true".
                keywords["sslmode"] = value == "true" ? "require" : value == "false" ? "disable" : value
            case "host":
                hosts.append(value)
            default:
                keywords[name] = value
            }
        }
        guard !hosts.isEmpty else { return }
        // SQLAlchemy's form for several hosts: ?host=a:5432&host=b:5433
        let pairs = hosts.map { $0.wholeMatch(of: /([^\/,:]+):([0-9]+)/.matchingSemantics(.unicodeScalar)) }
        keywords["host"] = zip(hosts, pairs).map { $1.map { String($0.1) } ?? $0 }.joined(separator: ",")
        if pairs.contains(where: { $0 != nil }) {
            keywords["port"] = pairs.map { String($0?.2 ?? "") }.joined(separator: ",")
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

extension Substring.UnicodeScalarView {
    /// The text with `%41` read as `A`; a `%` that is followed by something else stays.
    fileprivate func percentDecoded(readingPlusAsSpace: Bool = false) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(self).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16),
                rest.prefix(2).count == 2,
                rest.first != UInt8(ascii: "+"), rest.first != UInt8(ascii: "-")
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(readingPlusAsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
