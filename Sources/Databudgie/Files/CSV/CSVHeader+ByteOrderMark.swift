extension CSVHeader {
    /// Puts quotes around the name of a first column that begins with U+FEFF.
    ///
    /// COPY writes such a name without quotes, and whoever reads the file, psql and spreadsheets included, would take its
    /// first character for a byte order mark.
    /// - Parameter bytes: The beginning of a file, with the whole header.
    /// - Returns: The same for any other header.
    static func quotingByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.starts(with: byteOrderMark),
            // Without quotes, the name has neither of them.
            let end = bytes.firstIndex(where: { $0 == .comma || $0 == .lineFeed })
        else { return bytes }
        return [.quote] + bytes[..<end] + [.quote] + bytes[end...]
    }
}
