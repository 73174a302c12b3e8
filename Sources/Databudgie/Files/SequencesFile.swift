import Foundation
import Storage

/// The file of the values of a table's sequences: `{"product_id_seq": 17}`, as databudgie 2.9.3 writes and reads it.
///
/// That tool restores an entry by `SELECT setval('name', value)`, which always means a value that was given out already.
/// So the state of a sequence that has not given its value out is written as the string `"1, false"`: it becomes the two
/// last arguments of `setval` there, and is read by its exact form here, never as SQL.
enum SequencesFile {
    /// One sequence's value.
    typealias Entry = (key: String, state: SequenceState)

    /// Ample for thousands of sequences; a file of another kind is noticed before it fills the memory.
    private static let maximumBytes = 4 << 20

    /// Writes values in the order given.
    ///
    /// - Parameter entries: The sequences' keys and states.
    /// - Returns: The file's bytes.
    /// - Throws: An encoding error; strings never cause one.
    static func bytes(_ entries: [Entry]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let members = try entries.map { key, state in
            let value = state.isCalled ? "\(state.lastValue)" : "\"\(state.lastValue), false\""
            return String(decoding: try encoder.encode(key), as: UTF8.self) + ": " + value
        }
        return Array("{\(members.joined(separator: ", "))}".utf8)
    }

    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - file: The file as it was listed.
    ///   - storage: Where it is.
    /// - Returns: Its bytes, for ``entries(_:path:)-([UInt8],_)``.
    /// - Throws: `StorageError`.
    static func read(_ file: FileInfo, from storage: any Storage) async throws -> [UInt8] {
        try await storage.read(file.path).collect(upTo: maximumBytes)
    }

    /// Reads a file's bytes.
    ///
    /// - Parameters:
    ///   - bytes: All of them.
    ///   - path: The file's path, for errors.
    /// - Returns: Keys and states in the file's order.
    /// - Throws: ``DatabudgieError`` that names the file and the key for anything but integers.
    static func entries(_ bytes: [UInt8], path: StoragePath) throws -> [Entry] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DatabudgieError(.dataFile, "\(path) is not valid UTF-8", hint: "take another backup")
        }
        return try entries(text, path: path)
    }

    /// Reads a file's text.
    ///
    /// - Parameters:
    ///   - text: The whole text.
    ///   - path: The file's path, for errors.
    /// - Returns: Keys and states in the file's order.
    /// - Throws: ``DatabudgieError`` that names the file and the key for anything but integers.
    static func entries(
        _ text: String,
        path: StoragePath
    ) throws -> [Entry] {
        let value: SourceValue
        do {
            value = try JSONReader.read(text, source: path.description)
        } catch {
            let problems = error.problems.map { Finding.problem($0.messageWithPlace, hint: $0.hint) }
            throw DatabudgieError(.dataFile, problems, underlying: error)
        }
        guard let mapping = value.mapping else {
            throw DatabudgieError(
                .dataFile,
                "\(path) holds \(value.noun) instead of the values of sequences, as in {\"product_id_seq\": 17}",
                hint: "take another backup, or remove the file"
            )
        }
        return try mapping.entries.map { entry in
            guard let scalar = entry.value.scalar, let state = state(scalar) else {
                throw DatabudgieError(
                    .dataFile,
                    "\(path): the value of \"\(entry.key)\" is not a 64-bit integer, as in {\"\(entry.key)\": 17}",
                    hint: "correct it, or remove the file"
                )
            }
            return (entry.key, state)
        }
    }

    private static func state(_ scalar: SourceScalar) -> SequenceState? {
        switch scalar.kind {
        case .number:
            return Int64(scalar.text).map { SequenceState(lastValue: $0, isCalled: true) }
        case .string:
            guard let match = scalar.text.wholeMatch(of: /(-?[0-9]+), (true|false)/), let value = Int64(match.1)
            else { return nil }
            return SequenceState(lastValue: value, isCalled: match.2 == "true")
        case .null, .bool, .untyped:
            return nil
        }
    }
}
