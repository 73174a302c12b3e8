/// Names of database objects as single components of a path.
enum PathComponent {
    /// Encodes a name so that it is one component of a path and never leads out of its folder.
    ///
    /// Slashes, per cent signs and control characters become `%XX`, and so does a dot at the very beginning; all other
    /// characters stay, so that ordinary names are readable and equal to those that databudgie 2.9.3 wrote. The original
    /// comes back by percent-decoding.
    /// - Parameter name: Any name, such as `public.product`.
    /// - Returns: A text without slashes and control characters that does not begin with a dot.
    static func encode(_ name: String) -> String {
        var encoded = ""
        for scalar in name.unicodeScalars {
            let isHidden = encoded.isEmpty && scalar == "."
            if scalar == "/" || scalar == "%" || scalar.value < 0x20 || scalar.value == 0x7F || isHidden {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            } else {
                encoded.unicodeScalars.append(scalar)
            }
        }
        return encoded
    }
}

extension RunTimestamp {
    /// What a file's variables stand for.
    ///
    /// - Parameters:
    ///   - table: A table's or schema's full name, not encoded yet; nil for a file about neither.
    ///   - ext: The kind of file, such as `csv.gz`.
    /// - Returns: The values for a location or a file's name.
    func pathValues(table: String?, ext: String) -> [Template.Variable: String] {
        var values: [Template.Variable: String] = [.timestamp: timestamp, .date: date, .ext: ext]
        values[.table] = table.map(PathComponent.encode)
        return values
    }
}
