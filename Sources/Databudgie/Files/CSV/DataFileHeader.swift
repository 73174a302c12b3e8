import Compression
import Storage

/// Reads the header of a data file, without the rest.
struct DataFileHeader {
    let storage: any Storage

    /// Reads as much of a file as is needed.
    ///
    /// - Parameter file: The file as it was listed.
    /// - Returns: The names of its columns.
    /// - Throws: ``DatabudgieError`` that names the file, when it is empty, damaged or has no end of line.
    func read(_ file: FileInfo) async throws -> CSVHeader {
        var beginning: [UInt8] = []
        do {
            for try await chunk in try await storage.read(file.path).decompressed() {
                beginning += chunk
                if let header = CSVHeader.parse(beginning, isComplete: false) { return header }
                if beginning.count > CSVHeader.maximumBytes {
                    throw DatabudgieError(
                        .dataFile,
                        "\(file.path): the first line is longer than a megabyte: this is not a CSV file with a header"
                    )
                }
            }
        } catch let error as CompressionError {
            let text = ErrorText(error)
            throw DatabudgieError(.dataFile, "\(file.path): \(text.message)", hint: text.hint, underlying: error)
        }
        guard !beginning.isEmpty else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file is empty: even the line with the columns' names is missing",
                hint: "take another backup"
            )
        }
        guard let header = CSVHeader.parse(beginning, isComplete: true) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file ends inside the quotes of a column's name: it is cut off",
                hint: "take another backup"
            )
        }
        return header
    }
}
