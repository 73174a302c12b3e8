/// A reference to another place of the configuration, as written in a text: `{ref.backup.tables[public.*].location}`.
struct Reference {
    /// The keys and names to walk, from the root.
    let path: [ByteKey]
    /// The reference as it was written.
    let text: String

    /// A part of a text.
    enum Part {
        case text(String)
        case reference(Reference)
    }

    /// Splits a text at its references; `{{` is a literal brace and begins none.
    ///
    /// What was inserted from outside is text: a reference begins only where its first bytes were written in the
    /// configuration.
    /// - Throws: ``ConfigurationError`` for a reference that is not finished.
    static func parts(of text: InterpolatedText, at place: SourcePlace) throws(ConfigurationError) -> [Part] {
        let bytes = Array(text.text.utf8)
        var parts: [Part] = []
        var textStart = 0
        var index = 0
        func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        func isWritten(_ expected: String, at offset: Int) -> Bool {
            bytes[offset...].starts(with: expected.utf8)
                && !(offset..<offset + expected.utf8.count).contains(where: text.isInserted)
        }
        while let brace = bytes[index...].firstIndex(of: UInt8(ascii: "{")) {
            if isWritten("{{", at: brace) {
                index = brace + 2
                continue
            }
            guard isWritten("{ref.", at: brace) || isWritten("{ref:", at: brace) else {
                index = brace + 1
                continue
            }
            let start = brace > textStart && isWritten("$", at: brace - 1) ? brace - 1 : brace
            if textStart < start { parts.append(.text(string(textStart..<start))) }
            var parser = ReferencePathParser(bytes[(brace + "{ref.".utf8.count)...])
            guard let path = parser.parse() else {
                // What follows is not repeated: it may be the rest of a password.
                throw ConfigurationError(
                    .invalidReference,
                    "the reference that begins with '{ref' is not finished",
                    hint: "write it as {ref.backup.tables[public.product].location}, or '{{' for a literal brace",
                    at: place
                )
            }
            index = parser.position
            textStart = index
            parts.append(.reference(Reference(path: path, text: string(start..<index))))
        }
        if textStart < bytes.count { parts.append(.text(string(textStart..<bytes.count))) }
        return parts
    }
}

/// Reads the steps `.key`, `."quoted key"` and `[key]` up to the closing brace.
private struct ReferencePathParser {
    private let bytes: ArraySlice<UInt8>
    /// Behind the closing brace after a successful parse.
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private func isNext(_ character: Unicode.Scalar) -> Bool { next == UInt8(ascii: character) }

    private func key(from start: Int) -> ByteKey { ByteKey(String(decoding: bytes[start..<position], as: UTF8.self)) }

    /// - Returns: nil when the text ends before the reference does, or a step is empty.
    mutating func parse() -> [ByteKey]? {
        var path: [ByteKey] = []
        var step = nextStep()
        while true {
            guard let found = step, !found.string.isEmpty else { return nil }
            path.append(found)
            guard let separator = next else { return nil }
            if separator == UInt8(ascii: "[") {
                step = bracketed()
                continue
            }
            position += 1
            switch separator {
            case UInt8(ascii: "}"): return path
            case UInt8(ascii: "."): step = nextStep()
            default: return nil
            }
        }
    }

    private mutating func nextStep() -> ByteKey? {
        if isNext("[") { return bracketed() }
        if isNext("\"") || isNext("'") { return quoted() }
        let start = position
        while next != nil, !isNext("."), !isNext("["), !isNext("}") { position += 1 }
        return key(from: start)
    }

    private mutating func quoted() -> ByteKey? {
        let quote = next
        position += 1
        let start = position
        while next != nil, next != quote { position += 1 }
        guard next != nil else { return nil }
        defer { position += 1 }
        return key(from: start)
    }

    /// Brackets may nest, as a glob has some of its own: `[public.[ab]*]`.
    private mutating func bracketed() -> ByteKey? {
        position += 1
        if isNext("\"") || isNext("'") {
            let inside = quoted()
            guard isNext("]") else { return nil }
            position += 1
            return inside
        }
        let start = position
        var depth = 0
        while next != nil {
            if isNext("]"), depth == 0 {
                defer { position += 1 }
                return key(from: start)
            }
            if isNext("[") { depth += 1 }
            if isNext("]") { depth -= 1 }
            position += 1
        }
        return nil
    }
}
