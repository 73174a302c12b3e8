/// The levels at which a key can be, the most specific one first.
struct KeyScope {
    let levels: [SourceMapping]

    init(_ levels: [SourceMapping]) {
        self.levels = levels
    }

    /// The value at the nearest level that has the key; a null there counts, and hides what is above it.
    subscript(key: String) -> SourceValue? {
        levels.lazy.compactMap { $0[key] }.first
    }

    /// How many levels the value's is away from the nearest one; nil when no level has the key.
    func distance(of key: String) -> Int? {
        levels.firstIndex { $0[key] != nil }
    }

    func inside(_ level: SourceMapping) -> KeyScope {
        KeyScope([level] + levels)
    }
}
