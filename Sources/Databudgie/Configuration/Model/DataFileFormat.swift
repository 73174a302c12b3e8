import Compression

/// The form of a data file: CSV, compressed or not.
///
/// It is known here, left of the files themselves, because two entries that would write one file are refused when the
/// configuration is read.
struct DataFileFormat: Sendable, Hashable {
    /// How the CSV is compressed; nil leaves it plain.
    let compression: CompressionFormat?
    /// How hard it is compressed, which nothing in the file or its name tells; nil: as the format's standard is.
    let level: Int?

    /// What stands for `{ext}` in the file's name: `csv`, `csv.gz` or `csv.zst`.
    var ext: String { "csv" + (compression?.fileSuffix ?? "") }

    init(compression: CompressionFormat?, level: Int? = nil) {
        self.compression = compression
        self.level = level
    }

    /// The form that the suffix of a file's name stands for; plain CSV for any other suffix.
    init(fileName name: String) {
        let formats = CompressionFormat.allCases
        self.init(compression: formats.first { name.utf8.reversed().starts(with: $0.fileSuffix.utf8.reversed()) })
    }

    /// All forms that a restore finds.
    static let all =
        [DataFileFormat(compression: nil)] + CompressionFormat.allCases.map { DataFileFormat(compression: $0) }
}
