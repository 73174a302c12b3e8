/// A shell-style pattern: `*` any text, `?` one character, `[seq]` one of, `[!seq]` none of; everything else is literal.
///
/// The rules are those of Python's `fnmatch.fnmatchcase`, which existing configurations are written for: a `*` also
/// matches dots, a `]` right after the opening bracket is literal, and an unclosed bracket is a literal `[`.
struct Glob: Sendable, Hashable, CustomStringConvertible {
    private enum Element: Hashable {
        case literal(Unicode.Scalar)
        case anyScalar
        case anyText
        case oneOf([ClosedRange<Unicode.Scalar>], negated: Bool)
    }

    let description: String
    private let elements: [Element]

    init(_ pattern: String) {
        description = pattern
        var elements: [Element] = []
        var rest = Substring.UnicodeScalarView(pattern.unicodeScalars[...])
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*":
                if elements.last != .anyText { elements.append(.anyText) }
            case "?":
                elements.append(.anyScalar)
            case "[":
                if let (set, remainder) = Glob.parseSet(rest) {
                    elements.append(set)
                    rest = remainder
                } else {
                    elements.append(.literal("["))
                }
            default:
                elements.append(.literal(scalar))
            }
        }
        self.elements = elements
    }

    /// True when some character of the pattern is not literal.
    var hasWildcards: Bool { wildcards > 0 }

    /// How many parts of the pattern are not literal; several `*` in a row are one.
    var wildcards: Int {
        elements.count { element in
            if case .literal = element { false } else { true }
        }
    }

    /// Whether the whole text matches; linear in the product of both lengths at worst, never exponential.
    func matches(_ text: String) -> Bool {
        places(in: Array(text.unicodeScalars)) != nil
    }

    /// Where the match of each element begins; nil when the whole text does not match.
    private func places(in scalars: [Unicode.Scalar]) -> [Int]? {
        var places = Array(repeating: scalars.count, count: elements.count)
        var element = 0
        var position = 0
        var retry: (element: Int, position: Int)?
        while position < scalars.count {
            if element < elements.count, elements[element] == .anyText {
                places[element] = position
                element += 1
                retry = (element, position)
            } else if element < elements.count, Glob.matches(elements[element], scalars[position]) {
                places[element] = position
                element += 1
                position += 1
            } else if let last = retry {
                retry = (last.element, last.position + 1)
                element = last.element
                position = last.position + 1
            } else {
                return nil
            }
        }
        guard elements[element...].allSatisfy({ $0 == .anyText }) else { return nil }
        for rest in element..<elements.count { places[rest] = scalars.count }
        return places
    }

    private static func matches(_ element: Element, _ scalar: Unicode.Scalar) -> Bool {
        switch element {
        case .literal(let literal): literal == scalar
        case .anyScalar, .anyText: true
        case .oneOf(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
        }
    }

    /// Parses what follows a `[`; nil when the bracket is never closed.
    private static func parseSet(
        _ text: Substring.UnicodeScalarView
    ) -> (Element, Substring.UnicodeScalarView)? {
        var rest = text
        let negated = rest.first == "!"
        if negated { rest.removeFirst() }
        var members: [Unicode.Scalar] = []
        while let scalar = rest.popFirst() {
            if scalar == "]", !members.isEmpty {
                return (.oneOf(ranges(of: members), negated: negated), rest)
            }
            members.append(scalar)
        }
        return nil
    }

    private static func ranges(of members: [Unicode.Scalar]) -> [ClosedRange<Unicode.Scalar>] {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        var index = 0
        while index < members.count {
            if index + 2 < members.count, members[index + 1] == "-" {
                // A reversed range matches nothing, as in fnmatch.
                if members[index] <= members[index + 2] {
                    ranges.append(members[index]...members[index + 2])
                }
                index += 3
            } else {
                ranges.append(members[index]...members[index])
                index += 1
            }
        }
        return ranges
    }
}

extension Glob {
    /// A pattern in which only the gaps between literal texts are wildcards, each of them `*`.
    init(literals: [String]) {
        description = literals.joined(separator: "*")
        elements = Array(
            literals.map { $0.unicodeScalars.map(Element.literal) }.joined(separator: CollectionOfOne(Element.anyText))
        )
    }

    /// What each wildcard has matched, in their order; all but the last `*` match as little as they can.
    ///
    /// - Returns: nil when the whole text does not match.
    func captures(in text: String) -> [String]? {
        let scalars = Array(text.unicodeScalars)
        guard let places = places(in: scalars) else { return nil }
        return elements.indices.compactMap { index in
            if case .literal = elements[index] { return nil }
            let end = index + 1 < places.count ? places[index + 1] : scalars.count
            var capture = String.UnicodeScalarView()
            capture.append(contentsOf: scalars[places[index]..<end])
            return String(capture)
        }
    }

    /// The pattern with a text in place of each wildcard, whether that matches or not.
    ///
    /// - Returns: nil when there are more or fewer texts than wildcards.
    func filled(with texts: [String]) -> String? {
        guard texts.count == wildcards else { return nil }
        var rest = texts[...]
        var filled = String.UnicodeScalarView()
        for element in elements {
            if case .literal(let scalar) = element {
                filled.append(scalar)
            } else if let text = rest.popFirst() {
                filled.append(contentsOf: text.unicodeScalars)
            }
        }
        return String(filled)
    }
}
