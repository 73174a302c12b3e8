import Postgres

/// Finishes the values of a merged configuration: inserts what interpolations and references ask for.
///
/// Keys that begin with `x-` are left alone, so notes are never an error; a reference may still lead to them.
///
/// What a reference leads to is finished once and kept, and what may come of references is limited: a few lines of
/// `{ref.a}{ref.a}`, each referring to the line before, would otherwise grow to any size.
struct ReferenceResolver {
    /// Limits of what references lead to: far more than any configuration has, and little enough for any machine.
    private enum Limit {
        /// Of one text, in bytes.
        static let text = 1 << 20
        /// Of everything that was inserted, in bytes of text and in numbers of values.
        static let total = 64 << 20
        /// References, each of which leads to the next.
        static let depth = 100
        /// Values with a problem: what may depend on a circle of references is not kept, and is looked at again.
        static let failures = 1000
    }

    /// What is known of a value from outside of it.
    private struct Context {
        /// The key that it is under.
        var key = ""
        var isSecret = false
        /// The references that led to it.
        var active: [[ByteKey]] = []
    }

    /// A finished value.
    private struct Finished {
        var value: SourceValue
        /// Bytes of its texts, and one for each value in it.
        let size: Int

        init(_ value: SourceValue, size: Int? = nil) {
            self.value = value
            self.size = 1 + (size ?? value.scalar?.text.utf8.count ?? 0)
        }
    }

    /// What a reference leads to, which may be read in another way as the value of a secret.
    private struct Target: Hashable {
        let path: [ByteKey]
        let isSecret: Bool
    }

    private let root: SourceMapping
    private let interpolation: Interpolation
    private(set) var problems: [ConfigurationError.Problem] = []
    /// How many values had a problem; more than ``problems`` when a value is referred to several times.
    private var failures = 0
    /// The values of references without problems.
    private var targets: [Target: Finished] = [:]
    /// The size of everything that was inserted.
    private var inserted = 0

    init(root: SourceMapping, interpolation: Interpolation) {
        self.root = root
        self.interpolation = interpolation
    }

    /// - Returns: The whole configuration with finished values; a value with a problem is null in it.
    mutating func resolve() -> SourceMapping {
        mapping(root, Context()).mapping
    }

    private mutating func mapping(_ mapping: SourceMapping, _ context: Context) -> (mapping: SourceMapping, size: Int) {
        var result = mapping
        var size = 0
        for entry in mapping.entries where !entry.key.startsWithBytes(of: "x-") {
            var context = context
            (context.key, context.isSecret) = (entry.key, Self.isSecret(entry.key))
            let finished = value(entry.value, context)
            result.set(entry.key, finished.value, keyPlace: entry.keyPlace)
            size += finished.size
        }
        return (result, size)
    }

    /// Whether a key's value may be any text: a password that looks like a number, a list or null is a password.
    private static func isSecret(_ key: String) -> Bool {
        let names = [
            "password", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "sentry_dsn", "dsn",
        ]
        return names.contains { key.hasBytes(of: $0) } || ConnectionParameters.isSecret(key)
    }

    private mutating func value(_ value: SourceValue, _ context: Context) -> Finished {
        switch value.content {
        case .mapping(let mapping):
            let (finished, size) = self.mapping(mapping, context)
            return Finished(SourceValue(.mapping(finished), at: value.place), size: size)
        case .list(let list):
            let elements = list.map { self.value($0, context) }
            return Finished(
                SourceValue(.list(elements.map(\.value)), at: value.place),
                size: elements.reduce(0) { $0 + $1.size }
            )
        case .scalar(let scalar):
            // Options and environment variables are taken as they are.
            guard scalar.kind == .string, value.place.format != nil else { return Finished(value) }
            guard failures < Limit.failures, inserted <= Limit.total else { return failed(value) }
            do {
                return try text(scalar.text, at: value.place, context) ?? Finished(value)
            } catch {
                problems += error.problems
                return failed(value)
            }
        }
    }

    private mutating func failed(_ value: SourceValue) -> Finished {
        failures += 1
        return Finished(SourceValue(SourceScalar(.null, ""), at: value.place))
    }

    /// - Returns: nil when the text asks for nothing.
    private mutating func text(
        _ text: String,
        at place: SourcePlace,
        _ context: Context
    ) throws(ConfigurationError) -> Finished? {
        let interpolated = try interpolation.insert(into: text, at: place)
        let parts = try Reference.parts(of: interpolated, at: place)
        if parts.count == 1, case .reference(let reference) = parts[0] {
            return try target(of: reference, at: place, context)
        }
        let hasReference = parts.contains { if case .reference = $0 { true } else { false } }
        guard hasReference else {
            return interpolated.isChanged
                ? Finished(interpolated.value(at: place, isSecret: context.isSecret)) : nil
        }
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .reference(let reference):
                let failuresBefore = failures
                let finished = try target(of: reference, at: place, context)
                // Its problem is the only one: this text would be right with it.
                guard failures == failuresBefore else { return finished }
                let target = finished.value
                guard let scalar = target.scalar, scalar.kind != .null else {
                    throw ConfigurationError(
                        .invalidReference,
                        "\(reference.text) leads to \(target.noun), which cannot be part of a string",
                        hint: "refer to a string",
                        at: place
                    )
                }
                result += scalar.text
                guard result.utf8.count <= Limit.text else {
                    throw Self.tooLong("'\(context.key)' is longer than 1 MiB", reference, at: place)
                }
            }
        }
        return Finished(SourceValue(text: result, at: place))
    }

    private static func tooLong(_ what: String, _ reference: Reference, at place: SourcePlace) -> ConfigurationError {
        ConfigurationError(
            .invalidReference,
            "\(what) when \(reference.text) is replaced by its value",
            hint: "refer to it fewer times; references to references multiply",
            at: place
        )
    }

    private mutating func target(
        of reference: Reference,
        at place: SourcePlace,
        _ context: Context
    ) throws(ConfigurationError) -> Finished {
        guard !context.active.contains(reference.path) else {
            throw ConfigurationError(
                .invalidReference,
                "\(reference.text) leads back to itself",
                hint: "replace one of the references on the way with a value",
                at: place
            )
        }
        guard context.active.count < Limit.depth else {
            throw ConfigurationError(
                .invalidReference,
                "\(reference.text) is the last of more than \(Limit.depth) references, each of which leads to the next",
                hint: "replace one of the references on the way with a value",
                at: place
            )
        }
        let failuresBefore = failures
        var target = try finished(reference, at: place, context)
        guard failures == failuresBefore else { return Finished(SourceValue(SourceScalar(.null, ""), at: place)) }
        inserted += target.size
        guard inserted <= Limit.total else {
            throw Self.tooLong("the configuration is longer than 64 MiB", reference, at: place)
        }
        // A problem of the value is reported here; a mapping keeps the places of its parts.
        if target.value.scalar != nil { target.value.place = place }
        return target
    }

    private mutating func finished(
        _ reference: Reference,
        at place: SourcePlace,
        _ context: Context
    ) throws(ConfigurationError) -> Finished {
        let target = Target(path: reference.path, isSecret: context.isSecret)
        if let finished = targets[target] { return finished }
        let found = try walk(reference, at: place)
        let failuresBefore = failures
        let finished = value(
            found,
            Context(
                key: reference.path.last?.string ?? "",
                isSecret: context.isSecret,
                active: context.active + [reference.path]
            )
        )
        if failures == failuresBefore { targets[target] = finished }
        return finished
    }

    private func walk(_ reference: Reference, at place: SourcePlace) throws(ConfigurationError) -> SourceValue {
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
        return walk.current
    }
}
