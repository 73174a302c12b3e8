import FoundationEssentials

/// A token in the file that the AWS tools share: a flat object of strings.
struct SingleSignOnToken: Sendable {
    let accessToken: String
    private let expiration: Date
    /// Everything in the file, what only other tools know included.
    private var fields: [String: String]

    /// A value that is not a string is skipped.
    private struct Field: Decodable {
        var text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    /// Reads a file.
    /// - Returns: nil when the file does not exist, or has no token in it.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path),
            let read = try? JSONDecoder().decode([String: Field].self, from: data)
        else { return nil }
        self.init(fields: read.compactMapValues(\.text))
    }

    private init?(fields: [String: String]) {
        guard let token = fields["accessToken"]?.nonEmpty, let end = Self.moment(fields["expiresAt"]) else {
            return nil
        }
        accessToken = token
        expiration = end
        self.fields = fields
    }

    func isValid(at date: Date) -> Bool { expiration > date }

    /// What the token is renewed with, unless something is missing or the registration has ended.
    func renewalSecrets(at date: Date) -> (clientID: String, clientSecret: String, refreshToken: String)? {
        guard let id = fields["clientId"]?.nonEmpty, let secret = fields["clientSecret"]?.nonEmpty,
            let token = fields["refreshToken"]?.nonEmpty
        else { return nil }
        if let end = Self.moment(fields["registrationExpiresAt"]), end <= date { return nil }
        return (id, secret, token)
    }

    /// The same file's content with a new token in it.
    func replaced(accessToken: String, expiration: Date, refreshToken: String?) -> SingleSignOnToken {
        var fields = fields
        fields["accessToken"] = accessToken
        fields["expiresAt"] = expiration.formatted(.iso8601)
        if let refreshToken { fields["refreshToken"] = refreshToken }
        return SingleSignOnToken(accessToken: accessToken, expiration: expiration, fields: fields)
    }

    private init(accessToken: String, expiration: Date, fields: [String: String]) {
        self.accessToken = accessToken
        self.expiration = expiration
        self.fields = fields
    }

    /// Puts the token into a file that only its owner may read, at once and whole.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try Array(encoder.encode(fields))
        let file = try TemporaryFile.create(for: path)
        do {
            try file.write(bytes, at: 0)
            _ = try file.publish(ifExists: .replace)
            file.close()
        } catch {
            file.discard()
            throw error
        }
    }

    /// Old tools wrote `UTC` where others write `Z`.
    private static func moment(_ text: String?) -> Date? {
        text.flatMap { date(iso8601: $0.endsWithBytes(of: "UTC") ? $0.dropLast(3) + "Z" : $0) }
    }
}

extension SingleSignOnToken: CustomStringConvertible, CustomReflectable {
    var description: String { "an SSO token" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
