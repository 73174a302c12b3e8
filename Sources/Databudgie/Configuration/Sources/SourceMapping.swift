/// A mapping in the order of its keys.
struct SourceMapping: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let key: String
        var keyPlace: SourcePlace
        var value: SourceValue
    }

    private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    /// The value of a key; setting nil removes the key, and a new key comes last.
    subscript(key: String) -> SourceValue? {
        get { positions[key].map { entries[$0].value } }
        set {
            guard let newValue else { return remove(key) }
            set(key, newValue, keyPlace: newValue.place)
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    func keyPlace(_ key: String) -> SourcePlace? {
        positions[key].map { entries[$0].keyPlace }
    }

    mutating func set(_ key: String, _ value: SourceValue, keyPlace: SourcePlace) {
        if let position = positions[key] {
            entries[position].value = value
            entries[position].keyPlace = keyPlace
        } else {
            positions[key] = entries.count
            entries.append(Entry(key: key, keyPlace: keyPlace, value: value))
        }
    }

    private mutating func remove(_ key: String) {
        guard positions[key] != nil else { return }
        entries.removeAll { $0.key == key }
        positions = [:]
        for (position, entry) in entries.enumerated() {
            positions[entry.key] = position
        }
    }
}
