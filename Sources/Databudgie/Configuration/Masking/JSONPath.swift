/// A part of a JSON document: `user.email`, `items[*].owner`, `items[0]."a.b"`.
public struct JSONPath: Sendable, Equatable, CustomStringConvertible {
    /// A step from a value to one inside it.
    enum Step: Sendable, Equatable {
        case key(String)
        case index(Int)
        /// All elements of an array.
        case all
    }

    let steps: [Step]
    /// The path as it was written.
    public let description: String

    /// Reads a path.
    ///
    /// - Parameter text: Keys with dots between them, in double quotes where they hold a dot, a bracket or a quote, which is
    ///   written twice; `[3]` is an element of an array, `[*]` each of them.
    public init?(_ text: String) {
        var steps: [Step] = []
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            if rest.first == "[" {
                guard let step = Self.element(&rest) else { return nil }
                steps.append(step)
                continue
            }
            if !steps.isEmpty {
                guard rest.popFirst() == "." else { return nil }
            }
            guard let key = Self.key(&rest) else { return nil }
            steps.append(.key(key))
        }
        guard !steps.isEmpty else { return nil }
        (self.steps, description) = (steps, text)
    }

    /// `[3]` or `[*]`.
    private static func element(_ rest: inout Substring.UnicodeScalarView) -> Step? {
        guard let end = rest.firstIndex(of: "]") else { return nil }
        let inside = String(rest[rest.index(after: rest.startIndex)..<end])
        rest = rest[rest.index(after: end)...]
        if inside == "*" { return .all }
        guard inside.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(inside) else { return nil }
        return .index(index)
    }

    private static func key(_ rest: inout Substring.UnicodeScalarView) -> String? {
        var key = String.UnicodeScalarView()
        guard rest.first == "\"" else {
            while let scalar = rest.first, scalar != ".", scalar != "[" {
                guard scalar != "]", scalar != "\"" else { return nil }
                key.append(scalar)
                rest.removeFirst()
            }
            return key.isEmpty ? nil : String(key)
        }
        rest.removeFirst()
        while let scalar = rest.popFirst() {
            guard scalar == "\"" else {
                key.append(scalar)
                continue
            }
            guard rest.first == "\"" else { return String(key) }
            key.append("\"")
            rest.removeFirst()
        }
        return nil
    }
}
