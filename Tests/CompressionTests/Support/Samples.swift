/// Deterministic random numbers (SplitMix64), so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

enum Samples {
    /// Rows of sales as CSV, in chunks of whole rows.
    static func salesChunks(count: Int, rowsPerChunk: Int = 100, seed: UInt64 = 1) -> [[UInt8]] {
        var random = SeededGenerator(state: seed)
        let names = ["Anna Ahrens", "Ben Berger", "Clara Claussen", "\"Ebert, Emma\"", "Félix Graf"]
        return (0..<count).map { chunk in
            var text = ""
            for row in 0..<rowsPerChunk {
                let quantity = Int.random(in: 1...9, using: &random)
                let cents = Int.random(in: 100...99_999, using: &random)
                let name = names[Int.random(in: 0..<names.count, using: &random)]
                text += "\(chunk * rowsPerChunk + row),\(quantity),\(cents / 100).\(cents % 100),\(name)\n"
            }
            return Array(text.utf8)
        }
    }

    /// Bytes without any order, which cannot be compressed, and none of which is zero.
    static func noise(count: Int, seed: UInt64 = 2) -> [UInt8] {
        var random = SeededGenerator(state: seed)
        return (0..<count).map { _ in UInt8.random(in: 1...255, using: &random) }
    }
}

extension [UInt8] {
    /// The bytes in pieces of `size`.
    func split(into size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
