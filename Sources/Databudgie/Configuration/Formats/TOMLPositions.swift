/// The lines and the order of a TOML document's keys, which TOMLKit does not report.
///
/// It is not a parser: TOMLKit checks the text, and what is not found here takes the place of what contains it.
struct TOMLPositions {
    /// A table, an array or a value of the document.
    final class Node {
        var line: Int
        /// A table's keys in the order of their appearance.
        private(set) var keys: [String] = []
        private var children: [ByteKey: Node] = [:]
        /// An array's elements.
        private(set) var elements: [Node] = []

        init(line: Int) {
            self.line = line
        }

        func existing(_ key: String) -> Node? { children[ByteKey(key)] }

        func child(_ key: String, line: Int) -> Node {
            if let child = children[ByteKey(key)] { return child }
            let child = Node(line: line)
            children[ByteKey(key)] = child
            keys.append(key)
            return child
        }

        func addElement(line: Int) -> Node {
            let element = Node(line: line)
            elements.append(element)
            return element
        }
    }

    private let characters: [UInt8]
    private var position = 0
    private var line = 1
    /// The first fault, and its line; toml++, which TOMLKit is made of, would end the process there.
    private var fault: (problem: String, line: Int)?
    private var depth = 0

    /// Walks over a document.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - source: Its name in messages.
    /// - Returns: The root table.
    /// - Throws: ``ConfigurationError`` where a key or a value is missing.
    static func scan(_ text: String, source: String) throws(ConfigurationError) -> Node {
        var positions = TOMLPositions(characters: Array(text.utf8))
        let root = positions.document()
        if let (problem, line) = positions.fault {
            let place = SourcePlace(source, line: line)
            throw ConfigurationError(.invalidSyntax, "bad TOML: \(problem)", at: place)
        }
        return root
    }

    private init(characters: [UInt8]) {
        self.characters = characters
    }

    private var next: UInt8? { position < characters.count ? characters[position] : nil }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < characters.count {
            if characters[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    private func starts(with text: StaticString) -> Bool {
        characters[position...].starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Skips space, and line breaks and comments as well when asked to.
    private mutating func skipSpace(andLines: Bool) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): advance()
            case UInt8(ascii: "\r") where andLines, UInt8(ascii: "\n") where andLines: advance()
            case UInt8(ascii: "#") where andLines:
                while let byte = next, byte != UInt8(ascii: "\n") { advance() }
            default: return
            }
        }
    }

    private mutating func document() -> Node {
        let root = Node(line: 1)
        var table = root
        while true {
            skipSpace(andLines: true)
            guard next != nil else { return root }
            let start = position
            if skip("[") {
                let isElement = skip("[")
                table = header(isElement: isElement, in: root)
                while let byte = next, byte != UInt8(ascii: "\n") { advance() }
            } else {
                keyAndValue(in: table)
            }
            if position == start { advance() }
        }
    }

    private mutating func header(isElement: Bool, in root: Node) -> Node {
        let line = line
        let keys = dottedKey()
        var table = root
        for (number, key) in keys.enumerated() {
            table = table.child(key, line: line)
            if isElement, number == keys.count - 1 { return table.addElement(line: line) }
            table = table.elements.last ?? table
        }
        return table
    }

    private mutating func keyAndValue(in table: Node) {
        let line = line
        var node = table
        for key in dottedKey() {
            node = node.child(key, line: line)
        }
        node.line = line
        guard skip("=") else { return }
        skipSpace(andLines: false)
        value(of: node)
    }

    /// Reads `a."b c".d`; each part nests as a list or a table does.
    private mutating func dottedKey() -> [String] {
        var keys: [String] = []
        repeat {
            skipSpace(andLines: false)
            keys.append(key())
            skipSpace(andLines: false)
        } while skip(".")
        if keys.count > ConfigurationFormat.deepestNesting, fault == nil {
            fault = ("it is nested more than \(ConfigurationFormat.deepestNesting) levels deep", line)
        }
        return fault == nil ? keys : Array(keys.prefix(1))
    }

    private mutating func key() -> String {
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
            let start = position
            skipString()
            let quoted = characters[start..<position]
            if quoted.first == UInt8(ascii: "\""),
                let value = try? JSONReader.read(String(decoding: quoted, as: UTF8.self), source: ""),
                let scalar = value.scalar
            {
                return scalar.text
            }
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        let start = position
        while let byte = next, Self.isBare(byte) { advance() }
        if position == start, fault == nil { fault = ("a key is missing", line) }
        return String(decoding: characters[start..<position], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return scalar == "_" || scalar == "-" || (scalar.isASCII && Character(scalar).isLetter)
            || Character(scalar).isNumber
    }

    private mutating func value(of node: Node) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= ConfigurationFormat.deepestNesting else {
            if fault == nil {
                fault = ("it is nested more than \(ConfigurationFormat.deepestNesting) levels deep", line)
            }
            position = characters.count
            return
        }
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString()
        case UInt8(ascii: "["):
            advance()
            skipSpace(andLines: true)
            while next != nil, !skip("]") {
                let start = position
                value(of: node.addElement(line: line))
                skipSpace(andLines: true)
                _ = skip(",")
                skipSpace(andLines: true)
                if position == start { advance() }
            }
        case UInt8(ascii: "{"):
            advance()
            skipSpace(andLines: true)
            while next != nil, !skip("}") {
                let start = position
                keyAndValue(in: node)
                skipSpace(andLines: true)
                _ = skip(",")
                skipSpace(andLines: true)
                if position == start { advance() }
            }
        default:
            let start = position
            while let byte = next, !Self.endsValue(byte) { advance() }
            if position == start, fault == nil { fault = ("a value is missing", line) }
            if Self.isDateWithoutHour(characters[start..<position]), fault == nil {
                fault = ("after a date and T or a space, the hour is missing", line)
            }
        }
    }

    /// Whether a value is a date, a separator and then something else than a digit.
    private static func isDateWithoutHour(_ value: ArraySlice<UInt8>) -> Bool {
        let date = Array("0000-00-00".utf8)
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let blanks = Set(" \t\r".utf8)
        let value = Array(value.reversed().drop(while: blanks.contains).reversed())
        let isDate = zip(date, value).allSatisfy { $0 == UInt8(ascii: "0") ? digits.contains($1) : $0 == $1 }
        guard isDate, value.count > date.count, Set(" Tt".utf8).contains(value[date.count]) else { return false }
        return value.count == date.count + 1 || !digits.contains(value[date.count + 1])
    }

    private static func endsValue(_ byte: UInt8) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return scalar == "," || scalar == "]" || scalar == "}" || scalar == "#" || scalar == "\n"
    }

    private mutating func skipString() {
        if starts(with: "\"\"\"") || starts(with: "'''") {
            let quote = next
            advance(3)
            while next != nil {
                if quote == UInt8(ascii: "\""), next == UInt8(ascii: "\\") {
                    advance(2)
                } else if quote == UInt8(ascii: "\"") ? starts(with: "\"\"\"") : starts(with: "'''") {
                    advance(3)
                    // Up to two quotes are allowed right before the closing three (TOML 1.0, multi-line strings).
                    while next == quote { advance() }
                    return
                } else {
                    advance()
                }
            }
            return
        }
        let quote = next
        advance()
        while let byte = next, byte != quote {
            advance(quote == UInt8(ascii: "\"") && byte == UInt8(ascii: "\\") ? 2 : 1)
        }
        advance()
    }
}
