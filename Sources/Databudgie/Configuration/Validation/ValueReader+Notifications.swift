import Storage

/// `notify`: one receiver, or a list of them.
extension ValueReader {
    private static var receivers: [String] { NotificationTarget.receiverKeys }

    /// The receivers of notifications; one whose address is null is none.
    func notifications(_ value: SourceValue?) -> [NotificationTarget] {
        guard let value, !value.isNull else { return [] }
        switch value.content {
        case .mapping: return notification(value).map { [$0] } ?? []
        case .list(let entries): return entries.compactMap(notification)
        case .scalar:
            report.add(
                .wrongType,
                "'notify' must be a mapping or a list of mappings, not \(value.noun)",
                hint: "write 'healthchecks: URL', 'url: URL' or 'command: [PROGRAM, ARGUMENT]' below it",
                at: value.place
            )
            return []
        }
    }

    private func notification(_ value: SourceValue) -> NotificationTarget? {
        guard let mapping = value.mapping else {
            report.add(.wrongType, "an entry of 'notify' must be a mapping, not \(value.noun)", at: value.place)
            return nil
        }
        report.checkKeys(of: mapping, .notify)
        let given = Self.receivers.filter { mapping[$0] != nil }
        guard let key = given.first, given.count == 1 else {
            let message =
                given.isEmpty
                ? "an entry of 'notify' names nobody to notify"
                : given.map { "'\($0)'" }.joined(separator: " and ") + " exclude each other in an entry of 'notify'"
            report.add(
                .invalidValue,
                message,
                hint: given.isEmpty
                    ? "give one of \(Self.receivers.joined(separator: ", "))" : "write an entry for each",
                at: given.first.flatMap(mapping.keyPlace) ?? value.place
            )
            return nil
        }
        for other in Self.keysWithoutEffect(on: key) where mapping[other] != nil {
            report.add(
                .invalidValue,
                "'\(other)' has no effect with '\(key)'",
                hint: "remove it",
                at: mapping.keyPlace(other)
            )
        }
        let (events, headers) = (events(mapping["events"]), headers(mapping["headers"]))
        let format = choice(mapping["format"], "format", NotificationTarget.Format.self) ?? .json
        guard let receiver = receiver(key, mapping[key], format) else { return nil }
        return NotificationTarget(receiver, events: events, headers: headers)
    }

    private static func keysWithoutEffect(on receiver: String) -> [String] {
        switch receiver {
        case "url": []
        case "healthchecks": ["format"]
        default: ["format", "headers"]
        }
    }

    private func receiver(
        _ key: String,
        _ value: SourceValue?,
        _ format: NotificationTarget.Format
    ) -> NotificationTarget.Receiver? {
        guard let value, !value.isNull else { return nil }
        switch key {
        case "healthchecks": return url(value, key).map { .healthchecks($0) }
        case "url": return url(value, key).map { .url($0, format) }
        default: return command(value).map { .command($0) }
        }
    }

    private func url(_ value: SourceValue, _ key: String) -> NotificationURL? {
        // An empty one switches notifications off, as that of Sentry does.
        guard let text = text(value, key), !text.isEmpty else { return nil }
        if let url = NotificationURL(text) { return url }
        // It is not repeated, because it is a secret.
        report.add(
            .invalidValue,
            "'\(key)' in 'notify' is not a URL",
            hint: "write it as https://host/path",
            at: value.place
        )
        return nil
    }

    private func command(_ value: SourceValue) -> [String]? {
        guard value.list != nil else {
            report.add(
                .wrongType,
                "'command' must be a list, not \(value.noun)",
                hint: "write the program and each argument apart, or a shell: [/bin/sh, -c, …]",
                at: value.place
            )
            return nil
        }
        let problems = report.problems.count
        guard let arguments = texts(value, "command"), report.problems.count == problems else { return nil }
        guard let program = arguments.first, !program.isEmpty, !arguments.contains(where: { $0.utf8.contains(0) })
        else {
            report.add(
                .invalidValue,
                "'command' is not the name of a program and its arguments",
                hint: "write it as [PROGRAM, ARGUMENT]",
                at: value.place
            )
            return nil
        }
        return arguments
    }

    /// A word, or a list of them; without it, all events.
    private func events(_ value: SourceValue?) -> Set<NotificationTarget.Event> {
        guard let value, !value.isNull else { return Set(NotificationTarget.Event.allCases) }
        guard let list = value.list else {
            return choice(value, "events", NotificationTarget.Event.self).map { [$0] } ?? []
        }
        if list.isEmpty {
            report.add(
                .invalidValue,
                "'events' in 'notify' is empty",
                hint: "name some of \(NotificationTarget.Event.allCases.map(\.rawValue).joined(separator: ", "))",
                at: value.place
            )
        }
        return Set(list.compactMap { choice($0, "events", NotificationTarget.Event.self) })
    }

    /// Headers by name; what would break a request is reported (RFC 9110, 5.1 and 5.5).
    private func headers(_ value: SourceValue?) -> [String: String] {
        guard let mapping = mapping(value, "headers") else { return [:] }
        var headers: [String: String] = [:]
        for entry in mapping.entries {
            // Its value would not be interpolated.
            guard !entry.key.startsWithBytes(of: "x-") else {
                report.add(
                    .invalidValue,
                    "the header '\(entry.key)' is ignored, because keys that begin with 'x-' are notes",
                    hint: "write it with a capital X",
                    at: entry.keyPlace
                )
                continue
            }
            guard Self.isHeaderName(entry.key) else {
                report.add(
                    .invalidValue,
                    "'headers' has a name that no header can have",
                    hint: "use letters, digits and dashes; the length of the body is added by itself",
                    at: entry.keyPlace
                )
                continue
            }
            guard let text = anyText(entry.value, entry.key)?.withoutLastLineBreak else { continue }
            guard text.utf8.allSatisfy({ $0 == UInt8(ascii: "\t") || ($0 >= 32 && $0 != 127) }) else {
                report.add(
                    .invalidValue,
                    "the header '\(entry.key)' has a line break or another control character",
                    hint: "remove it",
                    at: entry.value.place
                )
                continue
            }
            headers[entry.key] = text
        }
        return headers
    }

    private static func isHeaderName(_ name: String) -> Bool {
        let isToken =
            !name.isEmpty
            && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
        return isToken && !["content-length", "transfer-encoding"].contains(name.lowercased())
    }
}
