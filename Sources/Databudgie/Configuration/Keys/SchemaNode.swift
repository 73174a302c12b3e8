/// A part of a JSON document whose keys stay in their order.
enum SchemaNode: Sendable {
    case null
    case bool(Bool)
    case number(Int)
    case text(String)
    case list([SchemaNode])
    case object([(String, SchemaNode)])

    /// The longest line that holds a list or an object with others in it.
    private static let width = 120

    /// The document, with short lists and objects in one line.
    func json(indent: String = "") -> String {
        let line = self.line
        guard indent.utf8.count + line.utf8.count > Self.width else { return line }
        let inner = indent + "  "
        switch self {
        case .list(let elements):
            return "[\n" + elements.map { inner + $0.json(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let pairs):
            let lines = pairs.map { "\(inner)\(Self.quoted($0)): \($1.json(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default: return line
        }
    }

    private var line: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let number): String(number)
        case .text(let text): Self.quoted(text)
        case .list(let elements): "[" + elements.map(\.line).joined(separator: ", ") + "]"
        case .object(let pairs): "{" + pairs.map { "\(Self.quoted($0)): \($1.line)" }.joined(separator: ", ") + "}"
        }
    }

    /// A string of JSON (RFC 8259, 7).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20:
                quoted += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension SchemaNode: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral text: String) { self = .text(text) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral number: Int) { self = .number(number) }
}

extension SchemaNode: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    init(arrayLiteral elements: SchemaNode...) { self = .list(elements) }
    init(dictionaryLiteral pairs: (String, SchemaNode)...) { self = .object(pairs) }
}
