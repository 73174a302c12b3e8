import Compression
import Storage

/// Reads the header of a data file, without the rest.
struct DataFileHeader {
    let storage: any Storage

    /// Reads as much of a file as is needed.
    ///
    /// A file that announces totals is also looked at where they should be, so one that was cut off is found out before
    /// anything is changed.
    /// - Parameter file: The file as it was listed.
    /// - Returns: The names of its columns, and the version of the file that has them.
    /// - Throws: ``DatabudgieError`` that names the file, when it is empty, damaged, cut off or has no end of line.
    func read(_ file: FileInfo) async throws -> (header: CSVHeader, file: FileInfo) {
        do {
            let bytes = try await storage.read(file.path)
            let (header, announcesTotals) = try await readBeginning(bytes, of: file)
            if announcesTotals { try await checkEnd(of: bytes.info) }
            return (header, bytes.info)
        } catch let error as CompressionError {
            let text = ErrorText(error)
            throw DatabudgieError(.dataFile, "\(file.path): \(text.message)", hint: text.hint, underlying: error)
        }
    }

    private func readBeginning(
        _ bytes: StorageBytes,
        of file: FileInfo
    ) async throws -> (CSVHeader, announcesTotals: Bool) {
        var beginning: [UInt8] = []
        var chunks = bytes.decompressed().makeAsyncIterator()
        while let chunk = try await chunks.next(isolation: #isolation) {
            beginning += chunk
            if let header = CSVHeader.parse(beginning, isComplete: false) { return (header, chunks.announcesTotals) }
            guard beginning.count <= CSVHeader.maximumBytes else {
                throw DatabudgieError(
                    .dataFile,
                    "\(file.path): the first line is longer than a megabyte: this is not a CSV file with a header"
                )
            }
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
        guard header.endsWithCarriageReturn else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the line with the columns' names has no line break: the file is cut off, or has no rows",
                hint: "use another backup, or end the line if it is complete"
            )
        }
        return (header, chunks.announcesTotals)
    }

    private func checkEnd(of file: FileInfo) async throws {
        let tail = max(0, file.size - FileTotals.tailSize)..<file.size
        var bytes: [UInt8] = []
        for try await chunk in try await storage.read(file.path, range: tail) { bytes += chunk }
        guard FileTotals.mayEnd(bytes) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file is incomplete: its beginning announces totals at its end, but they are missing",
                hint: "copy the file again from its source, or use another backup"
            )
        }
    }
}
