/// Replaces `<% ENV[NAME] %>` and its kin by values from outside the configuration.
struct Interpolation {
    let sources: ConfigurationSources

    /// The kinds of values that can be inserted.
    private enum Source: String, CaseIterable {
        case environment = "ENV"
        case file = "FILE"
        case dockerSecret = "DOCKER_SECRET"
    }

    /// Inserts every value that a text asks for.
    ///
    /// Inserted text is not searched again: a value from outside cannot ask for another one.
    /// - Throws: ``ConfigurationError`` for an unknown kind or a missing value.
    func insert(into text: String, at place: SourcePlace) throws(ConfigurationError) -> InterpolatedText {
        var result = InterpolatedText()
        var rest = text[...]
        while let start = rest.utf8.firstRange(of: "<%".utf8) {
            guard let block = try Block(rest[start.lowerBound...], at: place) else {
                result.append(written: rest[..<start.upperBound])
                rest = rest[start.upperBound...]
                continue
            }
            guard let source = Source(rawValue: block.kind) else {
                let known = Source.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError(
                    .missingValue,
                    "unknown interpolation '\(block.kind)'",
                    hint: "use one of \(known)",
                    at: place
                )
            }
            result.append(written: rest[..<start.lowerBound])
            let value = try value(of: block, from: source, at: place)
            result.append(
                value: value ?? block.fallback ?? "",
                isWritten: value == nil,
                isLiteral: source != .file
            )
            rest = rest[block.end...]
        }
        result.append(written: rest)
        return result
    }

    /// The value from outside; nil when there is none and the default takes its place.
    private func value(
        of block: Block,
        from source: Source,
        at place: SourcePlace
    ) throws(ConfigurationError) -> String? {
        switch source {
        case .environment:
            if let value = variable(block.name) { return value }
            guard block.fallback == nil else { return nil }
            throw ConfigurationError(
                .missingValue,
                "the environment variable \(block.name) is not set",
                hint: "set it, or give a default: <% ENV[\(block.name), default] %>",
                at: place
            )
        case .file:
            return try text(ofFile: block.name, hasFallback: block.fallback != nil, at: place)
        case .dockerSecret:
            if let path = variable(block.name.uppercased() + "_FILE") {
                return try text(ofFile: path, hasFallback: false, at: place)
            }
            if let value = variable(block.name) { return value }
            guard block.fallback == nil else { return nil }
            throw ConfigurationError(
                .missingValue,
                "the secret \(block.name) is missing",
                hint: "set \(block.name.uppercased())_FILE to the path of its file, or \(block.name) to its value",
                at: place
            )
        }
    }

    /// The variable whose name has the same bytes.
    private func variable(_ name: String) -> String? {
        guard let index = sources.environment.index(forKey: name) else { return nil }
        let (key, value) = sources.environment[index]
        return key.hasBytes(of: name) ? value : nil
    }

    /// A file's text without the line break at its end, which editors add and no value needs.
    private func text(
        ofFile path: String,
        hasFallback: Bool,
        at place: SourcePlace
    ) throws(ConfigurationError) -> String? {
        do {
            let text = try ConfigurationSources.text(ofFile: sources.path(path), named: path)
            return text.last?.isNewline == true ? String(text.dropLast()) : text
        } catch {
            guard !hasFallback else { return nil }
            throw ConfigurationError(
                .missingValue,
                "cannot insert the file '\(path)': \(error.message)",
                hint: error.hint,
                at: place
            )
        }
    }
}

extension Interpolation {
    /// One `<% KIND[name, default] %>`.
    private struct Block {
        let kind: String
        let name: String
        let fallback: String?
        /// Where the text continues.
        let end: String.Index

        /// Reads what begins with `<%`; nil when that is not an interpolation, but an operator of pg_trgm, say.
        init?(_ text: Substring, at place: SourcePlace) throws(ConfigurationError) {
            // By code points: a combining mark behind a bracket does not hide it.
            let opening = /<%\s*(\w+)\[/.matchingSemantics(.unicodeScalar)
            let closing = /\]\s*%>/.matchingSemantics(.unicodeScalar)
            guard let head = text.prefixMatch(of: opening) else { return nil }
            guard let tail = text[head.range.upperBound...].firstMatch(of: closing) else {
                guard Source(rawValue: String(head.1)) != nil else { return nil }
                throw ConfigurationError(
                    .invalidSyntax,
                    "the interpolation '\(head.1)[' is not finished",
                    hint: "end it with '] %>'",
                    at: place
                )
            }
            let parts = text[head.range.upperBound..<tail.range.lowerBound].split(atByte: ",", maxSplits: 1)
            kind = String(head.1)
            name = parts[0].trimmingWhitespace
            fallback = parts.count > 1 ? parts[1].trimmingWhitespace : nil
            end = tail.range.upperBound
        }
    }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
