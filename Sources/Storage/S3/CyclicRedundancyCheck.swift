/// The cyclic redundancy checks of S3, eight bytes at a time.
///
/// Source: "Checking object integrity for data uploads in Amazon S3"; polynomials in reversed bit order.
struct CyclicRedundancyCheck: Sendable {
    private let tables: [UInt64]
    private let mask: UInt64
    private let width: Int
    private var register: UInt64

    static func crc32() -> Self { Self(tables: crc32Tables, width: 32) }
    static func crc32C() -> Self { Self(tables: crc32CTables, width: 32) }
    static func crc64NVME() -> Self { Self(tables: crc64NVMETables, width: 64) }

    private static let crc32Tables = makeTables(0xEDB8_8320)
    private static let crc32CTables = makeTables(0x82F6_3B78)
    private static let crc64NVMETables = makeTables(0x9A6C_9329_AC4B_C9B5)

    private init(tables: [UInt64], width: Int) {
        self.tables = tables
        self.width = width
        mask = width == 64 ? .max : (1 << UInt64(width)) - 1
        register = mask
    }

    /// The check of all bytes so far, as S3 encodes it: most significant byte first.
    var bytes: [UInt8] {
        let value = register ^ mask
        return stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }

    mutating func update(_ bytes: [UInt8]) {
        register = tables.withUnsafeBufferPointer { tables in
            bytes.withUnsafeBytes { bytes in
                var register = register
                var offset = 0
                while offset + 8 <= bytes.count {
                    register ^= UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    var next: UInt64 = 0
                    for byte in 0..<8 {
                        next ^= tables[(7 - byte) * 256 + Int(truncatingIfNeeded: (register >> UInt64(byte * 8)) & 255)]
                    }
                    register = next
                    offset += 8
                }
                for byte in bytes[offset...] {
                    register = tables[Int(truncatingIfNeeded: (register ^ UInt64(byte)) & 255)] ^ (register >> 8)
                }
                return register
            }
        }
    }

    /// Eight tables of 256 entries: entry `i` of table `k` is what byte `i` does to the register `k` bytes later.
    private static func makeTables(_ polynomial: UInt64) -> [UInt64] {
        var tables = (0..<256).map { byte in
            (0..<8).reduce(UInt64(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ polynomial : value >> 1 }
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 255)] ^ (before >> 8))
        }
        return tables
    }
}
