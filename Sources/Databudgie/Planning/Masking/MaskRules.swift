/// Finds the rule of a column: an exact name beats a glob.
struct MaskRules {
    typealias Rule = MaskingConfiguration.Rule

    /// What the rules say of a column.
    enum Match {
        case nothing
        case rule(Rule, isExact: Bool)
        /// Rules with different masks.
        case ambiguous([Rule])
    }

    private struct Pattern {
        let index: Int
        let glob: Glob
        /// The bytes after the last wildcard: most names are told apart by them.
        let ending: [UInt8]

        func matches(_ name: String) -> Bool {
            name.utf8.count >= ending.count && name.utf8.suffix(ending.count).elementsEqual(ending)
                && glob.matches(name)
        }
    }

    private let rules: [Rule]
    private let exact: [ByteKey: [Int]]
    private let patterns: [Pattern]
    /// The rules that match some column, if only one that a better rule has.
    private(set) var used: Set<Int> = []

    init(_ rules: [Rule]) {
        self.rules = rules
        exact = Dictionary(grouping: rules.indices) { ByteKey(rules[$0].columns) }
        patterns = rules.indices.compactMap { index in
            let glob = Glob(rules[index].columns)
            guard glob.hasWildcards else { return nil }
            let bytes = Array(rules[index].columns.utf8)
            let last = bytes.lastIndex { "*?[]".utf8.contains($0) }.map { $0 + 1 } ?? 0
            return Pattern(index: index, glob: glob, ending: Array(bytes[last...]))
        }
    }

    /// Finds what the rules say.
    ///
    /// - Parameter name: A column, `schema.table.column`.
    /// - Returns: The rule, if there is one.
    mutating func match(_ name: String) -> Match {
        let exact = exact[ByteKey(name), default: []]
        if !exact.isEmpty {
            used.formUnion(exact)
            for pattern in patterns where !used.contains(pattern.index) && pattern.matches(name) {
                used.insert(pattern.index)
            }
            return choice(of: exact, isExact: true)
        }
        let matching = patterns.filter { $0.matches(name) }.map(\.index)
        used.formUnion(matching)
        return choice(of: matching, isExact: false)
    }

    private func choice(of indices: [Int], isExact: Bool) -> Match {
        guard let first = indices.first else { return .nothing }
        let others = indices.dropFirst().filter { rules[$0].mask != rules[first].mask }
        return others.isEmpty ? .rule(rules[first], isExact: isExact) : .ambiguous(([first] + others).map { rules[$0] })
    }

    /// The rules that match nothing, in their order.
    var unused: [Rule] {
        rules.indices.filter { !used.contains($0) }.map { rules[$0] }
    }
}
