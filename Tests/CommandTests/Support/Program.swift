import Foundation
import Subprocess
import SystemPackage

/// The built program `databudgie`, run as a process of its own.
struct Program {
    /// What a run of the program left.
    struct Outcome {
        /// The exit code; 128 and the signal's number when a signal ended the process.
        let status: Int32
        /// Standard output.
        let output: String
        /// Standard error.
        let error: String

        /// The lines of standard error.
        var errorLines: [Substring] { error.split(separator: "\n") }

        /// The errors on standard error, without the hints and effects that follow them.
        var errors: [Substring] { errorLines.filter { $0.hasPrefix("databudgie: error: ") } }
    }

    /// The folder in which the program runs.
    var folder = FileManager.default.temporaryDirectory.path(percentEncoded: false)
    /// Variables beside PATH; nothing else is inherited, so that settings of the machine do not reach the tests.
    var environment: [String: String] = [:]

    /// The program lies beside the test bundle, whatever the build's folder is called.
    static var path: FilePath {
        let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return FilePath(bundle.deletingLastPathComponent().appending(path: "databudgie").path(percentEncoded: false))
    }

    /// What `swift-subprocess` needs to start the program.
    func configuration(_ arguments: [String], executable: FilePath = Program.path) -> Configuration {
        var variables: [Environment.Key: String] = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "HOME": folder,
            "COLUMNS": "80",
        ]
        for (name, value) in environment {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        return Configuration(
            executable: .path(executable),
            arguments: Arguments(arguments),
            environment: .custom(variables),
            workingDirectory: FilePath(folder)
        )
    }

    /// Runs the program to its end, without standard input (`/dev/null`).
    func run(_ arguments: String...) async throws -> Outcome {
        try await run(arguments)
    }

    /// Runs the program to its end, with a text on standard input; nil is `/dev/null`.
    func run(_ arguments: [String], input: String? = nil) async throws -> Outcome {
        guard let input else { return try await outcome(arguments, input: .none) }
        return try await outcome(arguments, input: .string(input))
    }

    private func outcome(_ arguments: [String], input: some InputProtocol) async throws -> Outcome {
        let result = try await Subprocess.run(
            configuration(arguments),
            input: input,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return Outcome(
            status: result.terminationStatus.shellCode,
            output: result.standardOutput,
            error: result.standardError
        )
    }

    /// Runs a line of shell in which `databudgie` is the program.
    func shell(_ line: String) async throws -> Outcome {
        let directory = Self.path.removingLastComponent()
        let result = try await Subprocess.run(
            configuration(["-c", "PATH='\(directory)':$PATH; \(line)"], executable: "/bin/bash"),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return Outcome(
            status: result.terminationStatus.shellCode,
            output: result.standardOutput,
            error: result.standardError
        )
    }
}

extension TerminationStatus {
    /// The number that a shell would see.
    var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}
