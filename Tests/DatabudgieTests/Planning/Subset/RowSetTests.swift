import Testing

@testable import Databudgie

@Suite("Sets of rows")
struct RowSetTests {
    @Test("A set has what was inserted, once, in the order of the places")
    func order() {
        var set = RowSet()
        let rows = [(70, 1), (0, 291), (4_000_000_000, 7), (0, 64), (63, 63), (64, 0), (0, 1)]
            .map { RowPlace(block: UInt32($0.0), offset: UInt16($0.1)) }
        let first = rows.map { set.insert($0) }
        let second = rows.map { set.insert($0) }
        #expect(first == rows.map { _ in true })
        #expect(second == rows.map { _ in false })
        #expect(set.count == rows.count)
        #expect(Array(set) == rows.sorted())
        #expect(!set.contains(RowPlace(block: 0, offset: 290)))
        #expect(!set.contains(RowPlace(block: 1, offset: 1)))
        #expect(!set.contains(RowPlace(block: 70, offset: 500)))
    }

    @Test("A group is widened without losing rows of other pages")
    func stride() {
        var set = RowSet()
        var expected: [RowPlace] = []
        for offset in [1, 60, 70, 130, 291, 2_000] {
            for block in 0..<65 {
                let row = RowPlace(block: UInt32(block), offset: UInt16(offset))
                set.insert(row)
                expected.append(row)
            }
        }
        #expect(Array(set) == expected.sorted())
    }

    @Test("Removed rows are gone, and others stay")
    func remove() {
        let rows = (1...5).map { RowPlace(block: 3, offset: $0) }
        var set = RowSet(rows)
        set.remove(rows[2])
        set.remove(RowPlace(block: 3, offset: 900))
        set.remove(RowPlace(block: 900, offset: 1))
        #expect(Array(set) == [rows[0], rows[1], rows[3], rows[4]])
        #expect(set == RowSet([rows[4], rows[0], rows[3], rows[1]]))
        #expect(set != RowSet([rows[4], rows[0], rows[3], rows[2]]))
        #expect(Array(RowSet()).isEmpty)
    }

    @Test("Places are written as an array of tid")
    func text() {
        #expect([RowPlace]().arrayText == "{}")
        #expect([RowPlace(block: 0, offset: 1), RowPlace(block: 12, offset: 34)].arrayText == #"{"(0,1)","(12,34)"}"#)
    }
}
