import TOMLKit

/// Reads TOML with the places and the order of its keys.
struct TOMLReader {
    let source: String

    init(source: String) {
        self.source = source
    }

    /// - Throws: ``ConfigurationError`` with the line of the first fault.
    func read(_ text: String) throws(ConfigurationError) -> SourceValue {
        // TOMLKit hands the text over as a C string, which would end here.
        if let end = text.utf8.firstIndex(of: 0) {
            let line = text[..<end].count { $0.isNewline } + 1
            throw ConfigurationError(.invalidSyntax, "bad TOML: a NUL character", at: SourcePlace(source, line: line))
        }
        let positions = try TOMLPositions.scan(text, source: source)
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = SourcePlace(source, line: error.source.begin.line)
            // It shows the character at the fault, which may be one of a password.
            let text = error.description.utf8.firstRange(of: ", saw ".utf8).map { error.description[..<$0.lowerBound] }
            throw ConfigurationError(.invalidSyntax, "bad TOML: \(text ?? error.description[...])", at: place)
        } catch {
            throw ConfigurationError(.invalidSyntax, "bad TOML: \(error)", at: SourcePlace(source))
        }
        // The parts of a table point into it.
        return withExtendedLifetime(table) {
            SourceValue(.mapping(mapping(table, positions)), at: place(1))
        }
    }

    private func place(_ line: Int) -> SourcePlace {
        SourcePlace(source, line: line, format: .toml)
    }

    private func mapping(_ table: TOMLTable, _ positions: TOMLPositions.Node) -> SourceMapping {
        var result = SourceMapping()
        let keys = table.keys
        let known = Set(keys.map { ByteKey($0) })
        let found = positions.keys.map { ByteKey($0) }.filter(known.contains)
        for key in (found + known.subtracting(found).sorted()).map(\.string) {
            guard let value = table[key] else { continue }
            let position = positions.existing(key) ?? TOMLPositions.Node(line: positions.line)
            result.set(key, self.value(value, position), keyPlace: place(position.line))
        }
        return result
    }

    private func value(_ value: any TOMLValueConvertible, _ positions: TOMLPositions.Node) -> SourceValue {
        let place = place(positions.line)
        if let table = value.table { return SourceValue(.mapping(mapping(table, positions)), at: place) }
        if let array = value.array {
            let elements = array.indices.map { index in
                let position = index < positions.elements.count ? positions.elements[index] : nil
                return self.value(array[index], position ?? TOMLPositions.Node(line: positions.line))
            }
            return SourceValue(.list(elements), at: place)
        }
        if let text = value.string { return SourceValue(text: text, at: place) }
        if let bool = value.bool { return .bool(bool, at: place) }
        if let int = value.int { return SourceValue(SourceScalar(.number, String(int)), at: place) }
        if let double = value.double { return SourceValue(SourceScalar(.number, String(double)), at: place) }
        return SourceValue(text: value.debugDescription, at: place)
    }
}
