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
                        "\(file.path): the first line goes on for more than a megabyte, so this is no CSV file with a "
                            + "header."
                    )
                }
            }
        } catch let error as CompressionError {
            throw DatabudgieError(.dataFile, "\(file.path): \(error)", underlying: error)
        }
        guard !beginning.isEmpty else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file is empty; not even the line with the columns' names is there."
            )
        }
        guard let header = CSVHeader.parse(beginning, isComplete: true) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file ends within the quotes of a column's name; it is cut off, so take another backup."
            )
        }
        return header
    }
}
