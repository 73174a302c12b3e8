import Postgres

/// Finishes the values of a merged configuration: inserts what interpolations and references ask for.
///
/// Keys that begin with `x-` are left alone, so notes are never an error; a reference may still lead to them.
struct ReferenceResolver {
    private let root: SourceMapping
    private let interpolation: Interpolation
    private(set) var problems: [ConfigurationError.Problem] = []

    init(root: SourceMapping, interpolation: Interpolation) {
        self.root = root
        self.interpolation = interpolation
    }

    /// - Returns: The whole configuration with finished values; a value with a problem is null in it.
    mutating func resolve() -> SourceMapping {
        mapping(root, active: [])
    }

    private mutating func mapping(_ mapping: SourceMapping, active: [[ByteKey]]) -> SourceMapping {
        var result = mapping
        for entry in mapping.entries where !entry.key.startsWithBytes(of: "x-") {
            let isSecret = Self.isSecret(entry.key)
            result.set(entry.key, value(entry.value, isSecret: isSecret, active: active), keyPlace: entry.keyPlace)
        }
        return result
    }

    /// Whether a key's value may be any text: a password that looks like a number, a list or null is a password.
    private static func isSecret(_ key: String) -> Bool {
        let names = [
            "password", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "sentry_dsn", "dsn",
        ]
        return names.contains { key.hasBytes(of: $0) } || ConnectionParameters.isSecret(key)
    }

    private mutating func value(_ value: SourceValue, isSecret: Bool, active: [[ByteKey]]) -> SourceValue {
        switch value.content {
        case .mapping(let mapping):
            return SourceValue(.mapping(self.mapping(mapping, active: active)), at: value.place)
        case .list(let list):
            return SourceValue(.list(list.map { self.value($0, isSecret: isSecret, active: active) }), at: value.place)
        case .scalar(let scalar):
            // Options and environment variables are taken as they are.
            guard scalar.kind == .string, value.place.format != nil else { return value }
            do {
                return try text(scalar.text, at: value.place, isSecret: isSecret, active: active) ?? value
            } catch {
                problems += error.problems
                return SourceValue(SourceScalar(.null, ""), at: value.place)
            }
        }
    }

    /// - Returns: nil when the text asks for nothing.
    private mutating func text(
        _ text: String,
        at place: SourcePlace,
        isSecret: Bool,
        active: [[ByteKey]]
    ) throws(ConfigurationError) -> SourceValue? {
        let interpolated = try interpolation.insert(into: text, at: place)
        let parts = try Reference.parts(of: interpolated, at: place)
        if parts.count == 1, case .reference(let reference) = parts[0] {
            return try target(of: reference, at: place, isSecret: isSecret, active: active)
        }
        let hasReference = parts.contains { if case .reference = $0 { true } else { false } }
        guard hasReference else {
            return interpolated.isChanged ? interpolated.value(at: place, isSecret: isSecret) : nil
        }
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .reference(let reference):
                let target = try target(of: reference, at: place, isSecret: isSecret, active: active)
                guard let scalar = target.scalar, scalar.kind != .null else {
                    throw ConfigurationError(
                        .invalidReference,
                        "\(reference.text) leads to \(target.noun), which cannot be part of a string",
                        hint: "refer to a string",
                        at: place
                    )
                }
                result += scalar.text
            }
        }
        return SourceValue(text: result, at: place)
    }

    private mutating func target(
        of reference: Reference,
        at place: SourcePlace,
        isSecret: Bool,
        active: [[ByteKey]]
    ) throws(ConfigurationError) -> SourceValue {
        guard !active.contains(reference.path) else {
            throw ConfigurationError(
                .invalidReference,
                "\(reference.text) leads back to itself",
                hint: "replace one of the references on the way with a value",
                at: place
            )
        }
        var walk = ReferenceWalk(root: root)
        for (number, step) in reference.path.enumerated() {
            guard walk.enter(step.string) else {
                let path = reference.path[..<number].map(\.string).joined(separator: " → ")
                throw ConfigurationError(
                    .invalidReference,
                    "\(reference.text) leads nowhere: there is no '\(step)' \(number == 0 ? "at the root" : "in '\(path)'")",
                    hint: "correct the reference",
                    at: place
                )
            }
        }
        var target = value(walk.current, isSecret: isSecret, active: active + [reference.path])
        // A problem of the value is reported here; a mapping keeps the places of its parts.
        if target.scalar != nil { target.place = place }
        return target
    }
}

/// A walk through the configuration, which knows that a key can be at a more general level than its own.
private struct ReferenceWalk {
    private enum Position {
        /// The root, a command's section or a table: keys fall back to ``fallbacks``.
        case level
        case tables
        case inside
    }

    private(set) var current: SourceValue
    private var position = Position.level
    /// The levels above the current one, nearest first.
    private var fallbacks: [SourceMapping] = []

    init(root: SourceMapping) {
        current = SourceValue(.mapping(root), at: SourcePlace(""))
    }

    /// - Returns: Whether there is such a step.
    mutating func enter(_ step: String) -> Bool {
        switch position {
        case .level: return enterKey(step)
        case .tables: return enterTable(step)
        case .inside:
            guard let value = current.mapping?[step] ?? element(step) else { return false }
            current = value
            return true
        }
    }

    private mutating func enterKey(_ key: String) -> Bool {
        let level = current.mapping ?? SourceMapping()
        let isCommand = fallbacks.isEmpty && (key == "backup" || key == "restore")
        let found = level[key] ?? fallbacks.lazy.compactMap { $0[key] }.first
        guard let value = found ?? (isCommand ? SourceValue(.mapping(SourceMapping()), at: current.place) : nil) else {
            return false
        }
        current = value
        if isCommand {
            fallbacks.insert(level, at: 0)
        } else if key == "tables" {
            position = .tables
            fallbacks.insert(level, at: 0)
        } else {
            position = .inside
        }
        return true
    }

    private mutating func enterTable(_ name: String) -> Bool {
        guard let table = current.mapping?[name] ?? element(name) else { return false }
        current = table
        position = .level
        return true
    }

    /// An element of a list: the first with that name, or else the one with that number.
    private func element(_ step: String) -> SourceValue? {
        guard let list = current.list else { return nil }
        let named = list.first { element in
            guard let name = (element.mapping?["name"] ?? element).scalar else { return false }
            return name.text.hasBytes(of: step)
        }
        if let named { return named }
        guard let index = Int(step), list.indices.contains(index) else { return nil }
        return list[index]
    }
}
