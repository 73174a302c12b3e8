/// What a file is, as its first bytes tell.
enum DetectedContent: Equatable {
    case plain
    case compressed(CompressionFormat)
}

extension DetectedContent {
    /// The number of bytes at a file's beginning that are looked at.
    static let prefixSize = 512

    /// Finds out what a file is.
    ///
    /// Text cannot be mistaken for something compressed: each of the signatures has a control character or a byte that is
    /// not UTF-8, but for that of bzip2, of which ten characters are compared for this reason.
    ///
    /// - Parameter prefix: The file's first `prefixSize` bytes, or all of them when it has fewer.
    /// - Throws: An error with code `unsupported` or `corrupt` when the file can be none of what is read here, `truncated`
    ///   when it ends within a signature.
    init(prefix: ArraySlice<UInt8>) throws(CompressionError) {
        let format = Self.signature(of: prefix)
        switch format {
        case "gzip": self = .compressed(.gzip)
        case "zstd": self = .compressed(.zstd)
        case let other?:
            throw .unsupported(
                "The data is in the format \(other), which is not read here. Decompress it first, or use gzip or zstd.",
                offset: 0
            )
        case nil:
            try Self.checkText(prefix)
            self = .plain
        }
    }

    /// The name of the binary format that has a file's first bytes, where one has.
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
        // Size of the blocks; then pi for a block, or the root of pi where there is none.
        + (1...9).flatMap { level in
            ["1AY&SY", "\u{17}rE8P\u{90}"].map { mark in
                ("bzip2", Array("BZh\(level)".utf8) + mark.unicodeScalars.map { UInt8($0.value) })
            }
        }

    /// Refuses what cannot be text, and so is something compressed whose first bytes were damaged or cut off.
    private static func checkText(_ prefix: ArraySlice<UInt8>) throws(CompressionError) {
        // Postgres has no text with the character 0, in no encoding.
        if let position = prefix.firstIndex(of: 0) {
            throw .unsupported(
                "The data is neither text nor gzip nor zstd: byte \(position) is 0. Check that the file is a data file "
                    + "and copy it again from its source, or use another backup.",
                offset: Int64(position)
            )
        }
        for (format, magic) in [("gzip", [0x1F, 0x8B]), ("zstd", zstdMagic)]
        where !prefix.isEmpty && prefix.count < magic.count && magic.starts(with: prefix) {
            throw .truncated(format, unit: "signature", offset: Int64(prefix.count))
        }
        let changedBits = zip(prefix, zstdMagic).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        guard prefix.count < zstdMagic.count || changedBits > 1 else {
            throw .corrupt("zstd", reason: "one bit of its signature is wrong", offset: 0)
        }
    }
}
