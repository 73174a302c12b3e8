/// A file of a set.
struct SetFile: Sendable {
    /// Its place in the record.
    let order: Int
    /// The full name of the table that it belongs to; nil for definitions.
    let table: String?
    /// Where it is, as the record writes it.
    let path: String
    /// Its size, in bytes.
    let bytes: Int64
    /// SHA-256 of a file that is read as a whole, in hexadecimal digits; nil when it is not recorded.
    var sha256: String?
    /// The number of its table, when it is a data file.
    var tableNumber: Int?
}

extension SetRecord {
    /// All files of the set.
    var files: [SetFile] {
        var files: [SetFile] = []
        for (number, table) in tables.enumerated() {
            if let file = table.file {
                files.append(
                    SetFile(
                        order: files.count,
                        table: table.label,
                        path: file.path,
                        bytes: file.bytes,
                        tableNumber: number
                    )
                )
            }
            if let file = table.sequencesFile { files.append(SetFile(files.count, table.label, file)) }
        }
        for file in definitions { files.append(SetFile(files.count, nil, file)) }
        return files
    }
}

extension SetFile {
    fileprivate init(_ order: Int, _ table: String?, _ file: SetRecord.File) {
        self.init(order: order, table: table, path: file.path, bytes: file.bytes, sha256: file.sha256)
    }
}
