import CLibpq

/// What of a connection's parameters may be shown.
extension ConnectionParameters {
    /// How libpq wants each of its options displayed: `*` for a password, `D` for what only debugging needs, where newer
    /// versions have keys (Postgres documentation, 34.1, `PQconndefaults`).
    private static let displays: [String: String] = {
        guard let options = unsafe PQconndefaults() else { return [:] }
        defer { unsafe PQconninfoFree(options) }
        var displays: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            unsafe displays[String(cString: keyword)] = option.pointee.dispchar.map { unsafe String(cString: $0) } ?? ""
            unsafe option += 1
        }
        return displays
    }()

    /// Whether libpq has an option of this name.
    ///
    /// - Parameter keyword: The name.
    /// - Returns: False for a mistake, or an option of a newer version.
    static func isKnown(_ keyword: String) -> Bool { displays[keyword] != nil }

    /// Whether libpq marks an option's value as a secret.
    ///
    /// - Parameter keyword: The option's name.
    /// - Returns: False also for an option that libpq does not know.
    package static func isSecret(_ keyword: String) -> Bool {
        displays[keyword].map { $0 == "*" || $0 == "D" } ?? false
    }

    /// A value as it may be shown: `***` in place of a secret, and of what libpq does not know and might be one.
    ///
    /// - Parameter keyword: The option's name.
    /// - Returns: nil when the option is not given.
    package func shownValue(of keyword: String) -> String? {
        guard let value = keywords[keyword] else { return nil }
        let isSecret =
            switch keyword {
            // A connection string in place of a name is refused by the server; it is a mistake with a password in it.
            case "dbname", "user": Self.isConnectionString(value)
            case "host": Self.elements(of: value).contains(where: Self.holdsCredentials)
            default: Self.isSecret(keyword) || !Self.isKnown(keyword)
            }
        return isSecret ? "***" : value
    }

    /// Whether a host is more than a host.
    static func holdsCredentials(_ host: String) -> Bool {
        host.utf8.dropFirst().contains(UInt8(ascii: "@"))
    }

    /// Whether a name is a URL, or a list of options with a password among them.
    private static func isConnectionString(_ name: String) -> Bool {
        name.utf8.contains("://".utf8)
            || (name.utf8.contains(UInt8(ascii: "=")) && name.lowercased().utf8.contains("password".utf8))
    }
}
