/// A walk through the configuration, which knows that a key can be at a more general level than its own.
struct ReferenceWalk {
    private enum Position {
        /// The root, a command's section or a table: keys fall back to ``fallbacks``.
        case level
        case tables
        case inside
    }

    private(set) var current: SourceValue
    private var position = Position.level
    /// The levels above the current one, nearest first.
    private var fallbacks: [SourceMapping] = []

    init(root: SourceMapping) {
        current = SourceValue(.mapping(root), at: SourcePlace(""))
    }

    /// - Returns: Whether there is such a step.
    mutating func enter(_ step: String) -> Bool {
        switch position {
        case .level: return enterKey(step)
        case .tables: return enterTable(step)
        case .inside:
            guard let value = current.mapping?[step] ?? element(step) else { return false }
            current = value
            return true
        }
    }

    private mutating func enterKey(_ key: String) -> Bool {
        let level = current.mapping ?? SourceMapping()
        let isCommand = fallbacks.isEmpty && (key == "backup" || key == "restore")
        let found = level[key] ?? fallbacks.lazy.compactMap { $0[key] }.first
        guard let value = found ?? (isCommand ? SourceValue(.mapping(SourceMapping()), at: current.place) : nil) else {
            return false
        }
        current = value
        if isCommand {
            fallbacks.insert(level, at: 0)
        } else if key == "tables" {
            position = .tables
            fallbacks.insert(level, at: 0)
        } else {
            position = .inside
        }
        return true
    }

    private mutating func enterTable(_ name: String) -> Bool {
        guard let table = current.mapping?[name] ?? element(name) else { return false }
        current = table
        position = .level
        return true
    }

    /// An element of a list: the first with that name, or else the one with that number.
    private func element(_ step: String) -> SourceValue? {
        guard let list = current.list else { return nil }
        let named = list.first { element in
            guard let name = (element.mapping?["name"] ?? element).scalar else { return false }
            return name.text.hasBytes(of: step)
        }
        if let named { return named }
        guard let index = Int(step), list.indices.contains(index) else { return nil }
        return list[index]
    }
}
