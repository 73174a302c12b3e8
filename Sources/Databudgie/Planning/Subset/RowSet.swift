/// A set of rows of one table, as bits by pages: at most 64 KiB for each MiB of a table that is dense, whatever its keys.
///
/// A group is 64 pages. Its rows are bits, as many words a page as the greatest offset of the group needs: one for tables of
/// wide rows, five for the narrowest ones in pages of 8 KiB.
struct RowSet: Sendable {
    fileprivate struct Group: Sendable {
        /// Words a page.
        var stride = 1
        /// Bit `offset % 64` of word `page * stride + offset / 64`.
        var words = [UInt64](repeating: 0, count: pagesOfGroup)

        mutating func widen(to newStride: Int) {
            var wider = [UInt64](repeating: 0, count: RowSet.pagesOfGroup * newStride)
            for page in 0..<RowSet.pagesOfGroup {
                for word in 0..<stride { wider[page * newStride + word] = words[page * stride + word] }
            }
            (stride, words) = (newStride, wider)
        }
    }

    fileprivate static let pagesOfGroup = 64

    private var groups: [UInt32: Group] = [:]
    /// How many rows are in the set.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Creates an empty set.
    init() {}

    /// Creates a set of rows.
    init(_ rows: some Sequence<RowPlace>) {
        for row in rows { insert(row) }
    }

    /// Adds a row.
    ///
    /// - Returns: True when it was not there before.
    @discardableResult
    mutating func insert(_ row: RowPlace) -> Bool {
        let (group, page) = (row.block / 64, Int(row.block % 64))
        let (word, bit) = (Int(row.offset / 64), UInt64(1) << UInt64(row.offset % 64))
        let isNew = groups[group, default: Group()].insert(page, word, bit)
        if isNew { count += 1 }
        return isNew
    }

    /// Removes a row.
    mutating func remove(_ row: RowPlace) {
        let (group, page) = (row.block / 64, Int(row.block % 64))
        let (word, bit) = (Int(row.offset / 64), UInt64(1) << UInt64(row.offset % 64))
        if groups[group]?.remove(page, word, bit) == true { count -= 1 }
    }

    func contains(_ row: RowPlace) -> Bool {
        guard let group = groups[row.block / 64] else { return false }
        let word = Int(row.offset / 64)
        guard word < group.stride else { return false }
        return group.words[Int(row.block % 64) * group.stride + word] & (UInt64(1) << UInt64(row.offset % 64)) != 0
    }
}

extension RowSet.Group {
    fileprivate mutating func insert(_ page: Int, _ word: Int, _ bit: UInt64) -> Bool {
        if word >= stride { widen(to: word + 1) }
        let index = page * stride + word
        guard words[index] & bit == 0 else { return false }
        words[index] |= bit
        return true
    }

    fileprivate mutating func remove(_ page: Int, _ word: Int, _ bit: UInt64) -> Bool {
        guard word < stride, words[page * stride + word] & bit != 0 else { return false }
        words[page * stride + word] &= ~bit
        return true
    }
}

extension RowSet: Sequence {
    /// The rows in the order of their places.
    func makeIterator() -> Iterator { Iterator(self) }

    /// The number of rows, which is exact.
    var underestimatedCount: Int { count }

    /// Reads rows in the order of their places.
    struct Iterator: IteratorProtocol {
        private let groups: [UInt32: Group]
        private let order: [UInt32]
        private var position = 0
        private var current = Group()
        private var index = 0
        private var bits: UInt64 = 0

        fileprivate init(_ set: RowSet) {
            groups = set.groups
            order = set.groups.keys.sorted()
            begin()
        }

        private mutating func begin() {
            guard position < order.count else { return }
            current = groups[order[position]] ?? Group()
            index = 0
            bits = current.words[0]
        }

        mutating func next() -> RowPlace? {
            while position < order.count {
                if bits != 0 {
                    let bit = bits.trailingZeroBitCount
                    bits &= bits - 1
                    return RowPlace(
                        block: order[position] * 64 + UInt32(index / current.stride),
                        offset: UInt16(index % current.stride * 64 + bit)
                    )
                }
                index += 1
                if index < current.words.count {
                    bits = current.words[index]
                } else {
                    position += 1
                    begin()
                }
            }
            return nil
        }
    }
}

extension RowSet: Equatable {
    /// Whether two sets have the same rows.
    static func == (first: RowSet, second: RowSet) -> Bool {
        first.count == second.count && first.allSatisfy(second.contains)
    }
}

/// Rows of several tables.
typealias RowSets = [Relation.OID: RowSet]
