import FoundationEssentials
import Storage
import SystemPackage

/// The files of a run with the rows that the server has refused, in a folder of their own.
///
/// A row is data, so only the user can read them (0600, in a folder of 0700).
actor RejectFiles {
    /// Why a row was refused, as a line of JSON.
    struct Reason: Encodable, Sendable {
        /// The line in the data file, from 1, in which the row begins.
        let line: Int
        /// The five characters of the SQLSTATE.
        let sqlstate: String?
        let constraint: String?
        let columnName: String?
        let message: String

        private enum CodingKeys: String, CodingKey {
            case line, sqlstate, constraint, message
            case columnName = "column"
        }
    }

    /// The folder; it is created with the first row.
    nonisolated let folder: String

    /// Their names, without suffix.
    private var names: [JobID: String] = [:]

    /// - Parameters:
    ///   - parent: The folder in which the folder of the run is created.
    ///   - timestamp: The moment of the run.
    init(in parent: String, at timestamp: RunTimestamp) {
        let name = "databudgie-rejects-\(timestamp.timestamp)"
        folder = parent.isEmpty || parent.hasBytes(of: ".") ? name : "\(parent)/\(name)"
    }

    /// The file with the rows of a job.
    func path(of job: JobID, component: PathComponent) -> String {
        "\(folder)/\(name(of: job, component)).csv"
    }

    /// Begins with a job, or begins again: rows of an earlier attempt are forgotten.
    ///
    /// - Throws: ``DatabudgieError`` when the file of the attempt cannot be removed.
    func begin(_ job: JobID, component: PathComponent) throws(DatabudgieError) {
        let path = "\(folder)/\(name(of: job, component))"
        for suffix in Self.suffixes where FileManager.default.fileExists(atPath: path + suffix) {
            do {
                try FileManager.default.removeItem(atPath: path + suffix)
            } catch {
                throw Self.failure(path + suffix, error)
            }
        }
    }

    /// Adds a row.
    ///
    /// - Parameters:
    ///   - record: The row as it is in the data file, with its line break.
    ///   - header: The first record of the data file.
    ///   - reason: Why it was refused.
    ///   - job: Whose row it is.
    ///   - component: Its table.
    /// - Throws: ``DatabudgieError`` when it cannot be written.
    func add(
        _ record: [UInt8],
        header: [UInt8],
        _ reason: Reason,
        of job: JobID,
        component: PathComponent
    ) throws(DatabudgieError) {
        let path = "\(folder)/\(name(of: job, component))"
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try Self.append(record, to: path + Self.suffixes[0], beginning: header)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Self.append(Array(try encoder.encode(reason)) + [.lineFeed], to: path + Self.suffixes[1])
        } catch {
            throw Self.failure(path + Self.suffixes[0], error)
        }
    }

    private static let suffixes = [".csv", ".jsonl"]

    /// Two jobs of one table have files of their own.
    private func name(of job: JobID, _ component: PathComponent) -> String {
        if let name = names[job] { return name }
        let isTaken = names.values.contains { $0.hasBytes(of: component.text) }
        let name = isTaken ? "\(component.text)-\(job.number)" : component.text
        names[job] = name
        return name
    }

    private static func append(_ bytes: [UInt8], to path: String, beginning: [UInt8] = []) throws {
        let file = try FileDescriptor.open(
            FilePath(path),
            .writeOnly,
            options: [.append, .create, .noFollow],
            permissions: .ownerReadWrite
        )
        try file.closeAfter {
            let isNew = try file.seek(offset: 0, from: .end) == 0
            try file.writeAll(isNew ? beginning + bytes : bytes)
        }
    }

    private static func failure(_ path: String, _ error: any Error) -> DatabudgieError {
        DatabudgieError(
            .dataFile,
            "rejected rows cannot be written to \(path): \(error)",
            hint: "make the folder writable, or set 'max_rejects: 0'",
            underlying: error
        )
    }
}
