import Foundation

@testable import Databudgie

/// What a JSON Schema says of a configuration: as much of draft-07 as ours needs, so that every configuration of the tests can be
/// checked as it is read.
struct SchemaCheck {
    /// That of the program.
    static let ours = SchemaCheck(ConfigurationSchema.json)

    private let root: [String: JSONReading]
    private let expressions: [String: NSRegularExpression]

    /// A value of the schema itself.
    indirect enum JSONReading: Sendable, Equatable {
        case null, bool(Bool), number(Double), text(String), list([JSONReading]), object([String: JSONReading])

        init(_ value: SourceValue) {
            switch value.content {
            case .scalar(let scalar):
                switch scalar.kind {
                case .null: self = .null
                case .bool: self = .bool(scalar.text == "true")
                case .number: self = .number(Double(scalar.text.replacing("_", with: "")) ?? .nan)
                case .string, .untyped: self = .text(scalar.text)
                }
            case .list(let list): self = .list(list.map { Self($0) })
            case .mapping(let mapping):
                self = .object(
                    Dictionary(
                        mapping.entries.map { ($0.key, Self($0.value)) },
                        uniquingKeysWith: { first, _ in first }
                    )
                )
            }
        }

        var object: [String: JSONReading] { if case .object(let pairs) = self { pairs } else { [:] } }
        var list: [JSONReading] { if case .list(let elements) = self { elements } else { [] } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
        var number: Double? { if case .number(let number) = self { number } else { nil } }
    }

    private init(_ json: String) {
        let mapping = (try? ConfigurationFormat.json.read(json, source: "schema")) ?? SourceMapping()
        root = JSONReading(SourceValue(.mapping(mapping), at: SourcePlace(""))).object
        expressions = Dictionary(
            Self.patterns(.object(root)).compactMap { pattern in
                (try? NSRegularExpression(pattern: pattern)).map { (pattern, $0) }
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// All regular expressions of a schema.
    private static func patterns(_ schema: JSONReading) -> [String] {
        let pairs = schema.object
        let own =
            [pairs["pattern"]?.text].compactMap(\.self) + (pairs["patternProperties"]?.object.keys.map(\.self) ?? [])
        return own + pairs.values.flatMap(patterns) + schema.list.flatMap(patterns)
    }

    private func matches(_ text: String, _ pattern: String) -> Bool {
        let range = NSRange(text.startIndex..., in: text)
        return expressions[pattern]?.firstMatch(in: text, range: range) != nil
    }

    /// Where a configuration is not as the schema wants it; nil when all of it is.
    func problem(_ mapping: SourceMapping) -> String? {
        problem(JSONReading(SourceValue(.mapping(mapping), at: SourcePlace(""))), .object(root), "")
    }

    private func problem(_ value: JSONReading, _ schema: JSONReading, _ path: String) -> String? {
        let schema = schema.object
        if let reference = schema["$ref"]?.text { return problem(value, resolved(reference), path) }
        if let types = schema["type"] {
            let names = types.text.map { [$0] } ?? types.list.compactMap(\.text)
            guard names.contains(where: { value.isOf(type: $0) }) else { return "\(path): not \(names)" }
        }
        if let values = schema["enum"], !values.list.contains(value) { return "\(path): not one of the words" }
        if let least = schema["minimum"]?.number, let number = value.number, number < least {
            return "\(path): too small"
        }
        if let most = schema["maximum"]?.number, let number = value.number, number > most {
            return "\(path): too large"
        }
        if let pattern = schema["pattern"]?.text, let text = value.text {
            guard matches(text, pattern) else { return "\(path): not \(pattern)" }
        }
        for part in schema["allOf"]?.list ?? [] {
            if let problem = problem(value, part, path) { return problem }
        }
        if let alternatives = schema["anyOf"]?.list {
            let problems = alternatives.map { problem(value, $0, path) }
            if !problems.contains(nil) { return problems.compactMap(\.self).max { $0.count < $1.count } }
        }
        if let alternatives = schema["oneOf"]?.list {
            let count = alternatives.count { problem(value, $0, path) == nil }
            if count != 1 { return "\(path): \(count) alternatives in place of one" }
        }
        if let other = schema["not"], problem(value, other, path) == nil { return "\(path): not wanted" }
        return problemOfParts(of: value, schema, path)
    }

    private func problemOfParts(of value: JSONReading, _ schema: [String: JSONReading], _ path: String) -> String? {
        for key in schema["required"]?.list.compactMap(\.text) ?? [] where value.object[key] == nil {
            return "\(path): no \(key)"
        }
        for (key, dependency) in schema["dependencies"]?.object ?? [:] where value.object[key] != nil {
            let needed: JSONReading = dependency.list.isEmpty ? dependency : .object(["required": dependency])
            if let problem = problem(value, needed, path) { return problem }
        }
        if let least = schema["minItems"]?.number, case .list(let elements) = value, Double(elements.count) < least {
            return "\(path): too few"
        }
        if let most = schema["maxProperties"]?.number, Double(value.object.count) > most { return "\(path): too many" }
        if let element = schema["items"] {
            for (index, part) in value.list.enumerated() {
                if let problem = problem(part, element, "\(path)[\(index)]") { return problem }
            }
        }
        for (key, part) in value.object {
            let patterns = (schema["patternProperties"]?.object ?? [:]).filter { matches(key, $0.key) }
            var schemas = Array(patterns.values)
            if let own = schema["properties"]?.object[key] { schemas.append(own) }
            if schemas.isEmpty, let others = schema["additionalProperties"] {
                if others == .bool(false) { return "\(path).\(key): unknown key" }
                schemas = [others]
            }
            for schema in schemas {
                if let problem = problem(part, schema, "\(path).\(key)") { return problem }
            }
        }
        return nil
    }

    /// What a JSON Pointer of the document (RFC 6901) leads to.
    private func resolved(_ reference: String) -> JSONReading {
        reference.split(separator: "/").dropFirst().reduce(.object(root)) { $0.object[String($1)] ?? .null }
    }
}

extension SchemaCheck.JSONReading {
    fileprivate func isOf(type: String) -> Bool {
        switch self {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let number): type == "number" || (type == "integer" && number == number.rounded())
        case .text: type == "string"
        case .list: type == "array"
        case .object: type == "object"
        }
    }
}
