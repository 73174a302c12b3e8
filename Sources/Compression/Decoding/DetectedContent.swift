/// The format of a file, as its first bytes show it.
enum DetectedContent: Equatable {
    case plain
    case compressed(CompressionFormat)
}

extension DetectedContent {
    /// The number of bytes at the beginning of a file that are examined.
    static let prefixSize = 512

    /// Detects the format of a file.
    ///
    /// Text cannot be mistaken for something compressed: each of the signatures has a control character or a byte that is
    /// not UTF-8, except that of bzip2, of which ten characters are compared for this reason.
    ///
    /// - Parameter prefix: The file's first `prefixSize` bytes, or all of them if it has fewer.
    /// - Throws: An error with code `unsupported` or `corrupt` if the file is in none of the formats that are read here, `truncated`
    ///   if it ends within a signature.
    init(prefix: ArraySlice<UInt8>) throws(CompressionError) {
        let format = Self.signature(of: prefix)
        switch format {
        case "gzip": self = .compressed(.gzip)
        case "zstd": self = .compressed(.zstd)
        case let other?:
            throw .unsupported(
                "the data is in the format \(other), which is not supported",
                hint: "decompress it first, or use gzip or zstd",
                offset: 0
            )
        case nil:
            try Self.checkText(prefix)
            self = .plain
        }
    }

    /// The name of the binary format whose files begin with these bytes; nil if there is none.
    static func signature(of prefix: some Collection<UInt8>) -> String? {
        signatures.first { prefix.starts(with: $0.bytes) }?.format
    }

    private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    private static let signatures: [(format: String, bytes: [UInt8])] =
        [
            ("gzip", [0x1F, 0x8B]),
            ("zstd", zstdMagic),
            ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
            ("lz4", [0x04, 0x22, 0x4D, 0x18]),
            ("zip", Array("PK\u{3}\u{4}".utf8)),
            ("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
            ("compress (.Z)", [0x1F, 0x9D]),
            ("pg_dump custom", Array("PGDMP\u{1}".utf8)),
        ]
        // A zstd file may begin with a frame to skip, of which there are sixteen kinds.
        + (0x50...0x5F).map { ("zstd", [UInt8($0), 0x2A, 0x4D, 0x18]) }
        // Size of the blocks; then pi for a block, or the root of pi if there is none.
        + (1...9).flatMap { level in
            ["1AY&SY", "\u{17}rE8P\u{90}"].map { mark in
                ("bzip2", Array("BZh\(level)".utf8) + mark.unicodeScalars.map { UInt8($0.value) })
            }
        }

    /// Refuses what cannot be text: it is something compressed whose first bytes were damaged or cut off.
    private static func checkText(_ prefix: ArraySlice<UInt8>) throws(CompressionError) {
        // Postgres has no text with the character 0, in no encoding.
        if let position = prefix.firstIndex(of: 0) {
            throw .unsupported(
                "the data is not text, gzip or zstd: byte \(position) is 0",
                hint: "check that the file is a data file; " + CompressionError.copyAgain,
                offset: Int64(position)
            )
        }
        for (format, magic) in [
            ("gzip", [0x1F, 0x8B]), ("zstd", zstdMagic), ("zstd", littleEndianBytes(ZstdMark.magic)),
        ]
        where !prefix.isEmpty && prefix.count < magic.count && magic.starts(with: prefix) {
            throw .truncated(format, unit: "signature", offset: Int64(prefix.count))
        }
        let changedBits = zip(prefix, zstdMagic).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        guard prefix.count < zstdMagic.count || changedBits > 1 else {
            throw .corrupt("zstd", reason: "one bit of its signature is wrong", offset: 0)
        }
    }
}
