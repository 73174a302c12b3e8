/// The JSON Schema of configurations, made from the table of keys.
///
/// It is of draft-07, the newest that all editors read well. It describes what is written, before interpolations and references
/// are replaced: `<% ENV[NAME] %>` can be in place of any value.
package enum ConfigurationSchema {
    /// The schema as a document that ends in a line break.
    package static var json: String { document.json() + "\n" }

    private static let document: SchemaNode = .object(
        [
            ("$schema", "http://json-schema.org/draft-07/schema#"),
            ("$id", "https://databudgie.dev/configuration.schema.json"),
            ("title", "Configuration of databudgie"),
        ] + pairs(of: .root) + [("definitions", .object(definitions))]
    )

    private static let definitions: [(String, SchemaNode)] =
        ([.command(.backup), .command(.restore), .table] + ConfigurationKey.parts.map(\.level)).map { level in
            (level.name, .object(pairs(of: level)))
        } + [
            (
                "outside",
                [
                    "description": "A value from outside, or a reference to another one.", "type": "string",
                    "pattern": #"<%|\{ref[.:]"#,
                ]
            ),
            ("booleanWord", ["type": "string", "pattern": .text("^(|0|1|\(words))\\n?$|<%|\\{ref[.:]")]),
        ]

    private static let words = ["true", "yes", "on", "false", "no", "off"].map { KeyForm.anyCase($0) }
        .joined(separator: "|")

    /// A mapping with its keys; those that begin with `x-` are notes.
    private static func pairs(of level: ConfigurationLevel) -> [(String, SchemaNode)] {
        let keys = ConfigurationKey.keys(in: level).map { key in
            (key.name, key.definition == level ? node(of: key) : reference(to: key))
        }
        return [
            ("type", level == .root ? ["object", "null"] : "object"), ("properties", .object(keys)),
            ("patternProperties", ["^x-": [:]]), ("additionalProperties", false),
        ] + rules(of: level)
    }

    /// What keys of a mapping have to do with one another.
    private static func rules(of level: ConfigurationLevel) -> [(String, SchemaNode)] {
        func oneOf(_ keys: [String]) -> (String, SchemaNode) {
            ("oneOf", .list(keys.map { ["required": [.text($0)]] }))
        }
        switch level {
        case .notify:
            return [
                oneOf(NotificationTarget.receiverKeys),
                ("dependencies", ["format": ["url"], "headers": ["not": ["required": ["command"]]]]),
            ]
        case .mask: return [oneOf(["mask"] + Mask.names)]
        default: return []
        }
    }

    private static func reference(to key: ConfigurationKey) -> SchemaNode {
        let definition = key.definition == .root ? "" : "definitions/\(key.definition.name)/"
        return ["$ref": .text("#/\(definition)properties/\(key.name)")]
    }

    private static func node(of key: ConfigurationKey) -> SchemaNode {
        var pairs: [(String, SchemaNode)] = [("description", .text(description(of: key)))]
        if case .value(let text)? = key.standard { pairs.append(("default", value(text))) }
        if key.form.alternatives.count == 1, case .object(let schema) = key.form.alternatives[0] {
            return .object(pairs + schema)
        }
        return .object(pairs + [("anyOf", .list(key.form.alternatives))])
    }

    private static func value(_ text: String) -> SchemaNode {
        switch text {
        case "[]": return .list([])
        case "{}": return .object([])
        default:
            let scalar = ScalarLiteral.plainYAML(text)
            switch scalar.kind {
            case .null: return .null
            case .bool: return .bool(scalar.text == "true")
            case .number: return Int(scalar.text).map { .number($0) } ?? .text(text)
            case .string, .untyped: return .text(text)
            }
        }
    }

    /// The sentence of the guide, without its links and marks.
    private static func description(of key: ConfigurationKey) -> String {
        let text = key.text.replacing(/\[([^\]]*)\]\([^)]*\)/) { $0.1 }.replacing("`", with: "'")
        let command = key.kind.map { "\($0.rawValue): " } ?? ""
        let sentence = command + text
        return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
    }
}

extension ConfigurationKey {
    /// The level in whose definition the key is described; at others it is referred to.
    fileprivate var definition: ConfigurationLevel {
        switch home {
        case .root, .reporting, .run, .command: .root
        case .table: .table
        case .inside(let level): level
        }
    }
}
