import Foundation
import Storage
import Subprocess
import SystemPackage

/// A command that is notified: it gets the summary on its standard input, and what it prints is discarded.
struct NotificationCommand: Sendable {
    let arguments: [String]
    let variables: [String: String]
    /// How long it may take; a tenth of it is left for ending a command that does not end by itself.
    let limit: Duration

    private static let hint = "run it by hand to see why"

    /// Runs the command to its end.
    ///
    /// - Parameters:
    ///   - event: What it is notified of.
    ///   - summary: The summary of the run.
    ///   - input: The summary as JSON.
    /// - Returns: Why it was not notified; nil when it has ended with success.
    func run(
        _ event: NotificationTarget.Event,
        _ summary: RunSummary,
        input: [UInt8]
    ) async -> SendingProblem? {
        guard let program = arguments.first else { return nil }
        let variables = variables.merging([
            NotificationTarget.eventVariable: event.rawValue,
            NotificationTarget.actionVariable: summary.action,
            NotificationTarget.textVariable: summary.text ?? "",
        ]) { $1 }
        do {
            let pipe = try Self.pipe(holding: input)
            let status: TerminationStatus?? = try await abandoning(after: limit) {
                try await self.status(of: program, variables, pipe)
            }
            switch status ?? nil {
            case .exited(0): return nil
            case .exited(let code): return SendingProblem(message: "it ended with exit code \(code)", hint: Self.hint)
            case .signaled(let signal): return SendingProblem(message: "signal \(signal) ended it", hint: Self.hint)
            case nil: return SendingProblem(message: "it did not end in time, and was ended", hint: Self.hint)
            }
        } catch {
            return SendingProblem(
                message: "it cannot be started",
                hint: "check its path under 'notify', and whether it can be executed"
            )
        }
    }

    /// Runs the program, and ends it when its time is up.
    ///
    /// - Returns: How it ended; nil when its time was up.
    private func status(
        of program: String,
        _ variables: [String: String],
        _ input: FileDescriptor
    ) async throws -> TerminationStatus? {
        var options = PlatformOptions()
        // It and what it starts can be ended together, and the terminal's signals are not for it.
        options.createSession = true
        options.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: min(limit / 20, .milliseconds(500)))
        ]
        let (configured, rest) = (options, Array(arguments.dropFirst()))
        let executable: Executable =
            program.utf8.contains(UInt8(ascii: "/")) ? .path(FilePath(program)) : .name(program)
        let environment = Dictionary(
            uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) }
        )
        let job = Task {
            try await Subprocess.run(
                executable,
                arguments: Arguments(rest),
                environment: .custom(environment),
                platformOptions: configured,
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .discarded,
                error: .discarded
            ).terminationStatus
        }
        let timer = Task { [limit] in
            try await Task.sleep(for: limit * 9 / 10)
            job.cancel()
        }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await job.result
        } onCancel: {
            job.cancel()
        }
        return try job.isCancelled ? nil : result.get()
    }

    /// A pipe that holds all of the input already: a command that does not read it neither blocks nor breaks anything.
    ///
    /// - Returns: The end to read from.
    /// - Throws: `Errno`, also when the pipe is too small, which those of Linux are not: a summary has a few KiB.
    private static func pipe(holding input: [UInt8]) throws -> FileDescriptor {
        let (reader, writer) = try FileDescriptor.pipe()
        do {
            defer { try? writer.close() }
            guard fcntl(writer.rawValue, F_SETFL, O_NONBLOCK) == 0 else { throw Errno(rawValue: errno) }
            try writer.writeAll(input)
            return reader
        } catch {
            try? reader.close()
            throw error
        }
    }
}
