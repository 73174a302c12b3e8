/// Replaces `<% ENV[NAME] %>` and its kin by values from outside the configuration.
struct Interpolation {
    let sources: ConfigurationSources

    /// The kinds of values that can be inserted.
    private enum Source: String, CaseIterable {
        case environment = "ENV"
        case file = "FILE"
        case dockerSecret = "DOCKER_SECRET"
    }

    /// Inserts every value that a scalar asks for, then reads the finished text once more as a literal of its format.
    ///
    /// Inserted text is not searched again, so that no value from outside can ask for another one.
    /// - Throws: ``ConfigurationError`` for an unknown kind or a missing value.
    func apply(to value: SourceValue) throws(ConfigurationError) -> SourceValue {
        // Options and environment variables are taken as they are.
        guard let scalar = value.scalar, scalar.kind == .string, value.place.format != nil, scalar.text.contains("<%")
        else { return value }
        var result = ""
        var rest = scalar.text[...]
        var isChanged = false
        var isLiteral = true
        while let start = rest.firstRange(of: "<%") {
            guard let block = try Block(rest[start.lowerBound...], at: value.place) else {
                result += rest[..<start.upperBound]
                rest = rest[start.upperBound...]
                continue
            }
            guard let source = Source(rawValue: block.kind) else {
                let known = Source.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError(
                    .missingValue,
                    "unknown interpolation '\(block.kind)'; the known ones are \(known)",
                    at: value.place
                )
            }
            result += rest[..<start.lowerBound]
            result += try self.value(of: block, from: source, at: value.place)
            rest = rest[block.end...]
            isChanged = true
            // A file's text is inserted as it is: SQL must not turn into a number or a truth value.
            isLiteral = isLiteral && source != .file
        }
        guard isChanged else { return value }
        result += rest
        return isLiteral ? ScalarLiteral.read(result, at: value.place) : SourceValue(text: result, at: value.place)
    }

    private func value(of block: Block, from source: Source, at place: SourcePlace) throws(ConfigurationError) -> String
    {
        switch source {
        case .environment:
            if let value = sources.environment[block.name] ?? block.fallback { return value }
            throw ConfigurationError(
                .missingValue,
                "the environment variable \(block.name) is not set; set it, or give a default: "
                    + "<% ENV[\(block.name), default] %>",
                at: place
            )
        case .file:
            return try text(ofFile: block.name, fallback: block.fallback, at: place)
        case .dockerSecret:
            if let path = sources.environment[block.name.uppercased() + "_FILE"] {
                return try text(ofFile: path, fallback: nil, at: place)
            }
            if let value = sources.environment[block.name] ?? block.fallback { return value }
            throw ConfigurationError(
                .missingValue,
                "the secret \(block.name) is missing; set \(block.name.uppercased())_FILE to the path of its file, "
                    + "or \(block.name) to its value",
                at: place
            )
        }
    }

    /// A file's text without the line break at its end, which editors add and no value wants.
    private func text(ofFile path: String, fallback: String?, at place: SourcePlace) throws(ConfigurationError)
        -> String
    {
        do {
            let text = try ConfigurationSources.text(ofFile: sources.path(path), named: path)
            return text.last?.isNewline == true ? String(text.dropLast()) : text
        } catch {
            if let fallback { return fallback }
            throw ConfigurationError(.missingValue, "the file '\(path)' is asked for: \(error.message)", at: place)
        }
    }
}

extension Interpolation {
    /// One `<% KIND[name, default] %>`.
    private struct Block {
        let kind: String
        let name: String
        let fallback: String?
        /// Where the text goes on.
        let end: String.Index

        /// Reads what begins with `<%`; nil when that is no interpolation, but an operator of pg_trgm, say.
        init?(_ text: Substring, at place: SourcePlace) throws(ConfigurationError) {
            guard let head = text.prefixMatch(of: /<%\s*(\w+)\[/) else { return nil }
            guard let tail = text[head.range.upperBound...].firstMatch(of: /\]\s*%>/) else {
                guard Source(rawValue: String(head.1)) != nil else { return nil }
                throw ConfigurationError(
                    .invalidSyntax,
                    "the interpolation '\(head.1)[' is not finished; it must end in '] %>'",
                    at: place
                )
            }
            let inside = text[head.range.upperBound..<tail.range.lowerBound]
            let parts = inside.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            kind = String(head.1)
            name = String(parts[0].trimmingWhitespace)
            fallback = parts.count > 1 ? String(parts[1].trimmingWhitespace) : nil
            end = tail.range.upperBound
        }
    }
}

extension Substring {
    fileprivate var trimmingWhitespace: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
