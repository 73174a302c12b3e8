/// Bytes of which some decide how the others are cut and read.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// Takes a byte; 0 when there is none.
    mutating func byte() -> UInt8 {
        rest.popFirst() ?? 0
    }

    /// Takes a number from 1 to `limit`, at most 256.
    mutating func size(upTo limit: Int) -> Int {
        Int(byte()) % limit + 1
    }

    /// All bytes that are left, as text; what is not UTF-8 is replaced.
    var text: String { String(decoding: rest, as: UTF8.self) }

    /// All bytes that are left, cut into pieces whose sizes depend on a number.
    func pieces(_ size: Int) -> [[UInt8]] {
        stride(from: rest.startIndex, to: rest.endIndex, by: size).map {
            Array(rest[$0..<min($0 + size, rest.endIndex)])
        }
    }
}
