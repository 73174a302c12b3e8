import FoundationEssentials
import Yams

/// Reads YAML with the places of its values.
struct YAMLReader {
    let source: String
    /// The text was read in the form of ``YAMLByteEncoding``.
    private var isEncoded = false
    /// Aliases are expanded, so a short text could ask for any amount of memory.
    private static let mostValues = 1_000_000

    init(source: String) {
        self.source = source
    }

    /// - Throws: ``ConfigurationError`` with the line of the first fault.
    func read(_ text: String) throws(ConfigurationError) -> SourceValue {
        let start = SourcePlace(source, line: 1, format: .yaml)
        let root: Node?
        do {
            // Without rules of its own: YAML 1.2 is what the Python tool reads, and Yams resolves by 1.1.
            root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch YamlError.duplicatedKeysInMapping where !isEncoded && !text.utf8.allSatisfy({ $0 < 0x80 }) {
            var reader = self
            reader.isEncoded = true
            return try reader.read(YAMLByteEncoding.encode(text))
        } catch let error as YamlError {
            throw self.error(error)
        } catch {
            throw ConfigurationError(.invalidSyntax, "the YAML cannot be read: \(error)", at: start)
        }
        guard let root else { return SourceValue(SourceScalar(.null, ""), at: start) }
        var count = 0
        return try value(root, count: &count, depth: 0)
    }

    private func string(_ scalar: Node.Scalar) -> String {
        isEncoded ? YAMLByteEncoding.decode(scalar.string) : scalar.string
    }

    private func value(_ node: Node, count: inout Int, depth: Int) throws(ConfigurationError) -> SourceValue {
        let place = SourcePlace(source, line: node.mark?.line, format: .yaml)
        count += 1
        guard count <= Self.mostValues else {
            throw ConfigurationError(.invalidSyntax, "the aliases expand to more than a million values", at: place)
        }
        guard depth <= ConfigurationFormat.deepestNesting else {
            let deepest = ConfigurationFormat.deepestNesting
            throw ConfigurationError(
                .invalidSyntax,
                "bad YAML: it is nested more than \(deepest) levels deep",
                at: place
            )
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            return SourceValue(
                isPlain ? ScalarLiteral.plainYAML(string(scalar)) : SourceScalar(.string, string(scalar)),
                at: place
            )
        case .sequence(let sequence):
            var list: [SourceValue] = []
            for element in sequence {
                list.append(try value(element, count: &count, depth: depth + 1))
            }
            return SourceValue(.list(list), at: place)
        case .mapping(let mapping):
            return SourceValue(.mapping(try self.mapping(mapping, count: &count, depth: depth)), at: place)
        case .alias:
            throw ConfigurationError(.invalidSyntax, "the alias refers to nothing", at: place)
        }
    }

    private func mapping(_ mapping: Node.Mapping, count: inout Int, depth: Int) throws(ConfigurationError)
        -> SourceMapping
    {
        var result = SourceMapping()
        var merged: Set<ByteKey> = []
        for (key, node) in mapping {
            let keyPlace = SourcePlace(source, line: key.mark?.line, format: .yaml)
            guard case .scalar(let scalar) = key else {
                throw ConfigurationError(
                    .invalidSyntax,
                    "a key must be a string, not a list or a mapping",
                    at: keyPlace
                )
            }
            let name = string(scalar)
            if name == "<<", scalar.style == .plain {
                for base in try bases(node, at: keyPlace, count: &count, depth: depth + 1) {
                    // Earlier ones win, and the mapping's own keys win over all (YAML merge key, type repository).
                    for entry in base.entries where result[entry.key] == nil {
                        result.set(entry.key, entry.value, keyPlace: entry.keyPlace)
                        merged.insert(ByteKey(entry.key))
                    }
                }
                continue
            }
            // Yams compares keys with their quoting, so `a` and `"a"` pass its own check.
            if result[name] != nil, merged.remove(ByteKey(name)) == nil {
                throw ConfigurationError(
                    .invalidSyntax,
                    "the key '\(name)' is in the same mapping twice",
                    hint: "remove one of them",
                    at: keyPlace
                )
            }
            result.set(name, try value(node, count: &count, depth: depth + 1), keyPlace: keyPlace)
        }
        return result
    }

    private func bases(
        _ node: Node,
        at place: SourcePlace,
        count: inout Int,
        depth: Int
    ) throws(ConfigurationError) -> [SourceMapping] {
        let value = try value(node, count: &count, depth: depth)
        var bases: [SourceMapping] = []
        for base in value.list ?? [value] {
            guard let mapping = base.mapping else {
                throw ConfigurationError(.wrongType, "'<<' merges mappings, not \(base.noun)", at: place)
            }
            bases.append(mapping)
        }
        return bases
    }

    private func error(_ error: YamlError) -> ConfigurationError {
        func syntax(_ text: String, hint: String? = nil, _ mark: Mark?) -> ConfigurationError {
            ConfigurationError(.invalidSyntax, text, hint: hint, at: SourcePlace(source, line: mark?.line))
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let text = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
            return syntax("bad YAML: \(text)\(problem) (column \(mark.column))", mark)
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { "'\(isEncoded ? YAMLByteEncoding.decode($0) : $0)'" }.joined(separator: ", ")
            return syntax("the key \(names) is in the same mapping twice", hint: "remove one of them", context.mark)
        case .reader(let problem, let offset, _, let text):
            let line = text.prefix(offset ?? 0).count { $0.isNewline } + 1
            return ConfigurationError(.invalidSyntax, "bad YAML: \(problem)", at: SourcePlace(source, line: line))
        default:
            return syntax("bad YAML: \(error)", nil)
        }
    }
}
