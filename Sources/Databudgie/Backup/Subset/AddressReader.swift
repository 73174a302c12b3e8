/// Reads addresses of rows from what `COPY (…) TO STDOUT (FORMAT binary)` sends (PostgreSQL documentation, "COPY").
struct AddressReader {
    /// The signature, the flags and the length of an extension.
    private static let headerLength = 19

    private var isInHeader = true
    /// The values of a row: numbers, or a block and an offset as one number.
    private var values: [UInt64?] = []

    /// Reads rows of `tableoid` and `ctid`.
    ///
    /// - Parameter bytes: A chunk of whole rows.
    /// - Returns: The addresses.
    /// - Throws: ``DatabudgieError`` when it is something else.
    mutating func addresses(_ bytes: [UInt8]) throws -> [RowAddress] {
        var addresses: [RowAddress] = []
        addresses.reserveCapacity(bytes.count / 20)
        try read(bytes) { values in
            guard values.count == 2, let address = Self.address(values[0], values[1]) else { throw Self.unexpected }
            addresses.append(address)
        }
        return addresses
    }

    /// Reads rows of an address, a number, and another address, which may be NULL.
    mutating func pairs(_ bytes: [UInt8], _ receive: (RowAddress, Int, RowAddress?) throws -> Void) throws {
        try read(bytes) { values in
            guard values.count == 5, let first = Self.address(values[0], values[1]), let number = values[2] else {
                throw Self.unexpected
            }
            try receive(first, Int(number), Self.address(values[3], values[4]))
        }
    }

    /// Reads rows of a number and an address.
    mutating func numbered(_ bytes: [UInt8], _ receive: (Int, RowAddress) throws -> Void) throws {
        try read(bytes) { values in
            guard values.count == 3, let number = values[0], let address = Self.address(values[1], values[2]) else {
                throw Self.unexpected
            }
            try receive(Int(number), address)
        }
    }

    private static func address(_ table: UInt64?, _ place: UInt64?) -> RowAddress? {
        guard let table, let place else { return nil }
        return RowAddress(
            table: UInt32(truncatingIfNeeded: table),
            place: RowPlace(block: UInt32(truncatingIfNeeded: place >> 16), offset: UInt16(truncatingIfNeeded: place))
        )
    }

    private mutating func read(_ bytes: [UInt8], _ receive: ([UInt64?]) throws -> Void) throws {
        var position = 0
        func number(_ length: Int) throws -> UInt64 {
            guard length <= 8, position + length <= bytes.count else { throw Self.unexpected }
            var number: UInt64 = 0
            for index in position..<position + length { number = number << 8 | UInt64(bytes[index]) }
            position += length
            return number
        }
        if isInHeader {
            position = Self.headerLength
            isInHeader = false
        }
        while position < bytes.count {
            let fields = Int16(truncatingIfNeeded: Int(try number(2)))
            guard fields >= 0 else { return }
            values.removeAll(keepingCapacity: true)
            for _ in 0..<fields {
                let length = Int32(truncatingIfNeeded: Int(try number(4)))
                values.append(length < 0 ? nil : try number(Int(length)))
            }
            try receive(values)
        }
    }

    private static var unexpected: DatabudgieError {
        DatabudgieError(.internalInconsistency, "the server sent something else than addresses of rows")
    }
}
