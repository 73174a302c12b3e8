/// Where a row is: the table that holds it, and its place there (`tableoid` and `ctid`).
///
/// Within one snapshot both are stable, and they are the same for all types of keys.
struct RowAddress: Hashable, Sendable, Comparable {
    let table: Relation.OID
    let place: RowPlace

    static func < (first: RowAddress, second: RowAddress) -> Bool {
        (first.table, first.place) < (second.table, second.place)
    }
}

/// The place of a row in its table, `ctid`.
struct RowPlace: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number of the page.
    let block: UInt32
    /// The number of the row in the page, from 1.
    let offset: UInt16

    static func < (first: RowPlace, second: RowPlace) -> Bool {
        (first.block, first.offset) < (second.block, second.offset)
    }

    /// As the server writes it.
    var description: String { "(\(block),\(offset))" }
}

extension Sequence<RowPlace> {
    /// The places as an array of `tid`, for a parameter.
    var arrayText: String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for place in self {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: "\"(".utf8)
            bytes.append(contentsOf: String(place.block).utf8)
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: String(place.offset).utf8)
            bytes.append(contentsOf: ")\"".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
