import Foundation

/// A command-line tool that filters bytes, as users run it on our files.
struct Tool {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let command: String

    init(_ command: String) {
        self.command = command
    }

    /// Runs the command in a shell, with `input` in the file `input`, which is also its standard input.
    ///
    /// - Returns: What it wrote to its standard output.
    func run(on input: [UInt8]) async throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "compression-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(input).write(to: folder.appending(path: "input"))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "(\(command)) < input > output 2> errors"]
        process.currentDirectoryURL = folder
        // Not `waitUntilExit`, which would block one of the few threads that all tests share.
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        guard status == 0 else {
            let errors = try String(decoding: Data(contentsOf: folder.appending(path: "errors")), as: UTF8.self)
            throw Failure(description: "\(command) failed with status \(status): \(errors)")
        }
        return try Array(Data(contentsOf: folder.appending(path: "output")))
    }
}
