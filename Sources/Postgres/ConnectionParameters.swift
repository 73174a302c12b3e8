import CLibpq

/// Where a database is and how to log in, by libpq's keywords (Postgres documentation, 34.1.2).
///
/// Service files, the password file, `PG…` variables and TLS settings work as in psql: libpq itself reads them.
public struct ConnectionParameters: Sendable, Equatable {
    /// The values by libpq's keywords, such as `host`, `port`, `user`, `password`, `dbname`, `sslmode` and `service`.
    public var keywords: [String: String]

    /// Creates parameters from libpq's keywords.
    ///
    /// - Parameter keywords: The values by keyword; an unknown keyword is an error as soon as a connection is opened.
    public init(keywords: [String: String]) {
        self.keywords = keywords
    }

    /// Creates parameters from a URL or from a string of keywords.
    ///
    /// - Parameter url: `postgresql://user:password@host:port/database?option=value`, also with `postgres://`, with
    ///   SQLAlchemy's driver suffixes (`postgresql+psycopg2://`) and with several hosts; or `host=… dbname=…`.
    /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidParameters`` . It names an option that libpq does
    ///   not know, and never repeats what could be a password.
    public init(url: String) throws(PostgresError) {
        guard !url.utf8.contains(0) else {
            throw PostgresError(.invalidParameters, "the connection URL contains a NUL character", hint: "remove it")
        }
        keywords =
            if url.utf8.contains("://".utf8) {
                try ConnectionURL(url).keywords()
            } else {
                try Self.parse(keywordString: url)
            }
        try validate()
    }

    /// Checks that libpq knows every keyword, and that none asks for what this library cannot do.
    ///
    /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidParameters`` that names the keyword.
    package func validate() throws(PostgresError) {
        for (keyword, value) in keywords.sorted(by: { $0.key < $1.key }) {
            guard Self.isKnown(keyword) else {
                throw PostgresError(
                    .invalidParameters,
                    "the connection option \"\(keyword)\" is unknown to libpq",
                    hint: "remove it, or correct its name"
                )
            }
            guard !value.utf8.contains(0) else {
                throw PostgresError(
                    .invalidParameters,
                    "the connection option \"\(keyword)\" contains a NUL character",
                    hint: "remove it"
                )
            }
        }
        // An abstract socket begins with one; any other belongs to a user and a password, which messages must not show.
        guard !Self.elements(of: keywords["host"] ?? "").contains(where: Self.holdsCredentials) else {
            throw PostgresError(
                .invalidParameters,
                "the connection option \"host\" contains an @",
                hint: "give user and password by options of their own, and write @ as %40 in the password of a URL"
            )
        }
        if let encoding = keywords["client_encoding"],
            !["utf8", "utf-8", "unicode", "auto"].contains(encoding.lowercased())
        {
            throw PostgresError(
                .invalidParameters,
                "the connection option \"client_encoding\" is \(encoding), but all files are written and read in UTF-8",
                hint: "remove it"
            )
        }
    }

    private static func parse(keywordString: String) throws(PostgresError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(keywordString, &message) else {
            defer { unsafe PQfreemem(message) }
            let text = unsafe message.map { unsafe String(cString: $0) } ?? ""
            // Any other message of libpq's might quote a part of the password.
            if let match = text.firstMatch(of: /invalid connection option "(\w+)"/) {
                throw PostgresError(
                    .invalidParameters,
                    "the connection option \"\(match.1)\" is unknown to libpq",
                    hint: "remove it, or correct its name"
                )
            }
            throw PostgresError(
                .invalidParameters,
                "the connection string is neither a URL nor a list of options",
                hint: "write postgresql://user:password@host:port/database, or host=… dbname=…"
            )
        }
        defer { unsafe PQconninfoFree(options) }
        return unsafe keywords(of: options).compactMapValues { $0 }
    }

    /// The value in effect on a connection, whether it comes from the parameters, a service file or the environment.
    @unsafe
    static func effectiveValue(_ keyword: String, _ handle: OpaquePointer) -> String? {
        guard let options = unsafe PQconninfo(handle) else { return nil }
        defer { unsafe PQconninfoFree(options) }
        return unsafe keywords(of: options)[keyword] ?? nil
    }

    /// Reads libpq's array of options, which ends with one without keyword.
    ///
    /// - Parameter options: What PQconndefaults, PQconninfo or PQconninfoParse returned.
    /// - Returns: All keywords, with their values if they have one.
    @unsafe
    static func keywords(of options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String?] {
        var result: [String: String?] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            unsafe result.updateValue(
                option.pointee.val.map { unsafe String(cString: $0) },
                forKey: String(cString: keyword)
            )
            unsafe option += 1
        }
        return result
    }
}

extension ConnectionParameters: CustomStringConvertible {
    /// The parameters as a URL whose secrets are `***`.
    public var description: String {
        var text = "postgresql://"
        if let user = shownValue(of: "user") {
            text += user
        }
        if keywords["password"] != nil {
            text += ":***"
        }
        if keywords["user"] != nil || keywords["password"] != nil {
            text += "@"
        }
        text += hostsDescription
        if let database = shownValue(of: "dbname") {
            text += "/" + database
        }
        let shown: Set = ["user", "password", "host", "port", "dbname"]
        let options = keywords.keys.filter { !shown.contains($0) }.sorted()
        if !options.isEmpty {
            text += "?" + options.map { "\($0)=\(shownValue(of: $0) ?? "")" }.joined(separator: "&")
        }
        return text
    }

    private var hostsDescription: String {
        let hosts = Self.elements(of: shownValue(of: "host") ?? "")
        let ports = Self.elements(of: keywords["port"] ?? "")
        return hosts.indices.map { index in
            let host = hosts[index].utf8.contains(UInt8(ascii: ":")) ? "[\(hosts[index])]" : hosts[index]
            // A single port is that of all hosts.
            let port = ports.count == 1 ? ports[0] : ports.indices.contains(index) ? ports[index] : ""
            return port.isEmpty ? host : "\(host):\(port)"
        }.joined(separator: ",")
    }
}

extension ConnectionParameters: CustomDebugStringConvertible {
    /// The same as the description, so no debugger or test report shows a password.
    public var debugDescription: String { description }
}

extension ConnectionParameters: CustomReflectable {
    /// Only the description, so `dump` shows no password.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}
