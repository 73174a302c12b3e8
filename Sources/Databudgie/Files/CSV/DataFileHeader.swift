import Compression
import Storage

/// Reads the header of a data file, without the rest.
struct DataFileHeader {
    let storage: any Storage

    /// So many bytes are read at once, header and end: a further request would take longer.
    private static let smallSize = 64 << 10

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
            guard bytes.info.size > Self.smallSize else {
                let all = try await bytes.collect(upTo: Self.smallSize)
                let (header, announcesTotals) = try await readBeginning(SingleChunk(all), of: file)
                if announcesTotals { try checkEnd(all.suffix(Int(FileTotals.tailSize)), of: bytes.info) }
                return (header, bytes.info)
            }
            let (header, announcesTotals) = try await readBeginning(bytes, of: file)
            if announcesTotals {
                let tail = try await readEnd(of: bytes.info)
                try checkEnd(tail[...], of: bytes.info)
            }
            return (header, bytes.info)
        } catch let error as CompressionError {
            let text = ErrorText(error)
            throw DatabudgieError(.dataFile, "\(file.path): \(text.message)", hint: text.hint, underlying: error)
        }
    }

    private func readBeginning<Bytes: AsyncSequence>(
        _ bytes: Bytes,
        of file: FileInfo
    ) async throws -> (CSVHeader, announcesTotals: Bool) where Bytes.Element == [UInt8] {
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

    private func readEnd(of file: FileInfo) async throws -> [UInt8] {
        let tail = max(0, file.size - FileTotals.tailSize)..<file.size
        return try await storage.read(file.path, range: tail).collect(upTo: Int(FileTotals.tailSize))
    }

    private func checkEnd(_ tail: ArraySlice<UInt8>, of file: FileInfo) throws {
        guard FileTotals.mayEnd(Array(tail)) else {
            throw DatabudgieError(
                .dataFile,
                "\(file.path): the file is incomplete: its beginning announces totals at its end, but they are missing",
                hint: "copy the file again from its source, or use another backup"
            )
        }
    }
}
