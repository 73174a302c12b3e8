/// What a compressed file of ours holds, as its end says.
public struct FileTotals: Sendable, Equatable {
    /// The number of rows, as the file's writer counted them.
    public var rows: Int64
    /// The size of the content after decompression, in bytes.
    public var bytes: Int64

    /// Describes the content of a file.
    ///
    /// - Parameters:
    ///   - rows: The number of its rows.
    ///   - bytes: Its size, in bytes.
    public init(rows: Int64, bytes: Int64) {
        self.rows = rows
        self.bytes = bytes
    }
}

extension FileTotals {
    /// The number of bytes at the end of a file that show whether it was cut off.
    public static let tailSize: Int64 = 4096

    /// Whether a file that announces totals may be complete.
    ///
    /// This is a quick look before all of the file is read, which alone proves anything.
    ///
    /// - Parameter tail: The file's last ``tailSize`` bytes, or all of them if it has fewer.
    /// - Returns: False if the totals are missing.
    public static func mayEnd(_ tail: [UInt8]) -> Bool {
        // Zeros may have been added, which gzip tools tolerate.
        tail.allSatisfy { $0 == 0 } || tail.firstRange(of: FileMark.totalsPrefix) != nil
    }
}
