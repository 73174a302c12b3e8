/// A mapping in the order of its keys, which are compared by their bytes.
struct SourceMapping: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let key: String
        var keyPlace: SourcePlace
        var value: SourceValue

        /// Among names of tables and columns: a note, `x-…`, rather than a name, which has a dot if its schema is `x-…`.
        var isNote: Bool { key.startsWithBytes(of: "x-") && !key.utf8.contains(UInt8(ascii: ".")) }
    }

    private(set) var entries: [Entry] = []
    private var positions: [ByteKey: Int] = [:]

    /// The value of a key; setting nil removes the key, and a new key comes last.
    subscript(key: String) -> SourceValue? {
        get { positions[ByteKey(key)].map { entries[$0].value } }
        set {
            guard let newValue else { return remove(key) }
            set(key, newValue, keyPlace: newValue.place)
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    func keyPlace(_ key: String) -> SourcePlace? {
        positions[ByteKey(key)].map { entries[$0].keyPlace }
    }

    mutating func set(_ key: String, _ value: SourceValue, keyPlace: SourcePlace) {
        if let position = positions[ByteKey(key)] {
            entries[position].value = value
            entries[position].keyPlace = keyPlace
        } else {
            positions[ByteKey(key)] = entries.count
            entries.append(Entry(key: key, keyPlace: keyPlace, value: value))
        }
    }

    private mutating func remove(_ key: String) {
        guard let position = positions[ByteKey(key)] else { return }
        entries.remove(at: position)
        positions = [:]
        for (position, entry) in entries.enumerated() {
            positions[ByteKey(entry.key)] = position
        }
    }
}
