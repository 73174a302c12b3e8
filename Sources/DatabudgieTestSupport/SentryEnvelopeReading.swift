import Foundation

/// A request to a Sentry server, taken apart by the rules of Sentry's developer documentation ("Envelopes", "Event
/// Payloads", "Authentication").
public struct SentryEnvelopeReading: Sendable {
    /// Everything that breaks a rule; empty when the server would accept the event.
    public private(set) var problems: [String] = []
    /// The body as it was received.
    public let text: String

    /// The severity of the failure.
    public private(set) var level = ""
    /// The release.
    public private(set) var release: String?
    /// The environment.
    public private(set) var environment: String?
    /// The tags by their keys.
    public private(set) var tags: [String: String] = [:]
    /// The type of the one exception.
    public private(set) var type = ""
    /// The message of the one exception.
    public private(set) var value = ""
    /// The event's id.
    public private(set) var eventID = ""

    init(method: String, target: String, headers: [(name: String, value: String)], body: [UInt8]) {
        text = String(decoding: body, as: UTF8.self)
        expect(method == "POST", "the method is \(method)")
        expect(target == "/prefix/api/42/envelope/", "the path is \(target)")
        func header(_ name: String) -> [String] {
            headers.filter { $0.name.lowercased() == name }.map(\.value)
        }
        expect(header("content-type") == ["application/x-sentry-envelope"], "the content type is wrong")
        expect(header("content-length") == ["\(body.count)"], "the length is not given")
        expect(header("user-agent").count == 1, "there is no user agent")
        readAuthorization(header("x-sentry-auth"))
        expect(String(validating: body, as: UTF8.self) != nil, "the body is not UTF-8")
        readEnvelope(body)
    }

    private mutating func expect(_ condition: Bool, _ problem: String) {
        if !condition { problems.append(problem) }
    }

    private mutating func readAuthorization(_ values: [String]) {
        guard values.count == 1, let value = values.first, value.hasPrefix("Sentry ") else {
            problems.append("there is no X-Sentry-Auth")
            return
        }
        var pairs: [String: String] = [:]
        for part in value.dropFirst("Sentry ".count).split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else {
                problems.append("X-Sentry-Auth holds a part without value")
                continue
            }
            pairs[sides[0].trimmingCharacters(in: .whitespaces)] = String(sides[1])
        }
        expect(pairs["sentry_version"] == "7", "the protocol's version is not 7")
        expect(pairs["sentry_key"] == SentryServer.key, "the key is wrong")
        expect(pairs["sentry_client"]?.contains("/") == true, "the client has no name and version")
        let known: Set = ["sentry_version", "sentry_key", "sentry_client", "sentry_secret", "sentry_timestamp"]
        expect(known.isSuperset(of: pairs.keys), "X-Sentry-Auth holds unknown keys")
    }

    private mutating func readEnvelope(_ body: [UInt8]) {
        let newline = UInt8(ascii: "\n")
        let parts = body.split(separator: newline, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = object(parts[0]), let item = object(parts[1]) else {
            problems.append("there are not two headers before the payload")
            return
        }
        expect(Set(["event_id", "sent_at", "dsn", "sdk"]).isSuperset(of: header.keys), "unknown keys in the header")
        eventID = header["event_id"] as? String ?? ""
        expect(eventID.wholeMatch(of: /[0-9a-f]{32}/) != nil, "the event's id is not a UUID of 32 digits")
        expect(isRecent(header["sent_at"]), "sent_at is not a recent time")
        expect(Set(["type", "length", "content_type"]).isSuperset(of: item.keys), "unknown keys in the item's header")
        expect(item["type"] as? String == "event", "the item is not an event")
        guard let length = item["length"] as? Int, length <= parts[2].count else {
            problems.append("the item's length is missing or too large")
            return
        }
        let rest = parts[2].dropFirst(length)
        expect(rest.isEmpty || Array(rest) == [newline], "the payload does not end where its length says")
        guard let event = object(parts[2].prefix(length)) else {
            problems.append("the payload is not a JSON object")
            return
        }
        readEvent(event)
    }

    private mutating func readEvent(_ event: [String: Any]) {
        let known: Set = [
            "event_id", "timestamp", "platform", "level", "logger", "release", "environment", "exception", "tags",
            "sdk",
        ]
        expect(known.isSuperset(of: event.keys), "unknown keys in the event: \(event.keys.sorted())")
        expect(event["event_id"] as? String == eventID, "the event's two ids differ")
        expect(isRecent(event["timestamp"]), "the timestamp is not a recent time")
        let platforms: Set = [
            "as3", "c", "cfml", "cocoa", "csharp", "elixir", "haskell", "go", "groovy", "java", "javascript", "native",
            "node", "objc", "other", "perl", "php", "python", "ruby",
        ]
        expect(platforms.contains(event["platform"] as? String ?? ""), "the platform is unknown")
        level = event["level"] as? String ?? ""
        expect(["fatal", "error", "warning", "info", "debug"].contains(level), "the level is unknown")
        release = event["release"] as? String
        expect(release?.wholeMatch(of: /[^\n\r\t\/\\]{1,200}/) != nil, "the release is missing or breaks the rules")
        environment = event["environment"] as? String
        if event["environment"] != nil {
            expect(environment?.wholeMatch(of: /[^\n\r\/ ]{1,64}/) != nil, "the environment breaks the rules")
        }
        let program = event["sdk"] as? [String: String] ?? [:]
        expect(program["name"] != nil && program["version"] != nil, "the sdk has no name and version")
        readTags(event["tags"])
        let exceptions = (event["exception"] as? [String: Any])?["values"] as? [[String: String]] ?? []
        expect(exceptions.count == 1, "there is not one exception")
        type = exceptions.first?["type"] ?? ""
        value = exceptions.first?["value"] ?? ""
        expect(!type.isEmpty && !value.isEmpty, "the exception has no type or no value")
    }

    private mutating func readTags(_ value: Any?) {
        guard let tags = value as? [String: String] else {
            problems.append("the tags are not a mapping of strings")
            return
        }
        self.tags = tags
        for (key, value) in tags {
            expect(key.wholeMatch(of: /[a-zA-Z0-9_.:\-]{1,32}/) != nil, "the tag \(key) breaks the rules")
            let isValid = !value.isEmpty && value.unicodeScalars.count <= 200 && !value.contains("\n")
            expect(isValid, "the value of the tag \(key) breaks the rules")
        }
    }

    private func object(_ bytes: ArraySlice<UInt8>) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    /// A time in the form of RFC 3339, and not far from now.
    private func isRecent(_ value: Any?) -> Bool {
        guard let text = value as? String, text.hasSuffix("Z") else { return false }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."), timeZone: .gmt)
        guard let time = try? Date(text, strategy: style) else { return false }
        return abs(time.timeIntervalSinceNow) < 3_600
    }
}
