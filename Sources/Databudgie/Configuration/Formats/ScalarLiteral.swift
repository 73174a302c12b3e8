import FoundationEssentials

/// How the formats tell null, booleans and numbers from strings.
enum ScalarLiteral {
    /// Reads an unquoted YAML scalar by the core schema (YAML 1.2.2, chapter 10.3.2).
    ///
    /// `yes`, `no`, `on` and `off` are strings here, as in databudgie 2.9.3; where a boolean is expected they are read
    /// as one.
    static func plainYAML(_ text: String) -> SourceScalar {
        switch text {
        case "", "~", "null", "Null", "NULL": SourceScalar(.null, "")
        case "true", "True", "TRUE": SourceScalar(.bool, "true")
        case "false", "False", "FALSE": SourceScalar(.bool, "false")
        default: SourceScalar(isNumber(text) ? .number : .string, text)
        }
    }

    /// Reads a finished interpolated text once more, as a literal of the format that it is in.
    ///
    /// As in databudgie 2.9.3 (configly), a text that begins with anything but a letter or a digit stays a string, unless
    /// it is quoted or JSON: a list can be given by a variable, and a password is never taken apart.
    /// - Parameters:
    ///   - text: The text after all insertions.
    ///   - place: Where the value is.
    /// - Returns: A scalar, or the list or mapping that the text is as JSON.
    static func read(_ text: String, at place: SourcePlace) -> SourceValue {
        let string = SourceValue(text: text, at: place)
        guard let first = text.unicodeScalars.first else {
            return place.format == .json || place.format == .toml
                ? string : SourceValue(SourceScalar(.null, ""), at: place)
        }
        if first == "\"" || first == "'" || first == "[" || first == "{" {
            return quoted(text, at: place) ?? string
        }
        guard first.properties.isAlphabetic || first.properties.numericType != nil || first == "-" else {
            return string
        }
        switch place.format {
        case .json, .toml:
            let scalar: SourceScalar
            switch text {
            case "null" where place.format == .json: scalar = SourceScalar(.null, "")
            case "true", "false": scalar = SourceScalar(.bool, text)
            default: scalar = SourceScalar(isNumber(text) && !hasLeadingZero(text) ? .number : .string, text)
            }
            return SourceValue(scalar, at: place)
        default:
            return SourceValue(plainYAML(text), at: place)
        }
    }

    private static func quoted(_ text: String, at place: SourcePlace) -> SourceValue? {
        let quote = UInt8(ascii: "'")
        if text.utf8.first == quote {
            guard text.utf8.count > 1, text.utf8.last == quote, place.format != .json else { return nil }
            let inside = String(decoding: text.utf8.dropFirst().dropLast(), as: UTF8.self)
            guard !inside.replacingBytes(of: "''", with: "").utf8.contains(quote) else { return nil }
            return SourceValue(text: inside.replacingBytes(of: "''", with: "'"), at: place)
        }
        guard var value = try? JSONReader.read(text, source: place.source) else { return nil }
        value.move(to: place)
        return value
    }

    /// An integer or decimal number; digits may be grouped by underscores.
    static func isNumber(_ text: String) -> Bool {
        // The first character rules out nearly all values.
        guard let first = text.utf8.first, first < UInt8(ascii: "A") else { return false }
        let expression = /[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?/
        return text.wholeMatch(of: expression) != nil
    }

    private static func hasLeadingZero(_ text: String) -> Bool {
        text.trimmingPrefix("-").wholeMatch(of: /0[0-9].*/) != nil
    }
}

extension SourceValue {
    /// Gives the value and all its parts another place.
    fileprivate mutating func move(to place: SourcePlace) {
        self.place = place
        switch content {
        case .scalar: return
        case .list(var list):
            for index in list.indices { list[index].move(to: place) }
            content = .list(list)
        case .mapping(let mapping):
            var moved = SourceMapping()
            for entry in mapping.entries {
                var value = entry.value
                value.move(to: place)
                moved.set(entry.key, value, keyPlace: place)
            }
            content = .mapping(moved)
        }
    }
}
