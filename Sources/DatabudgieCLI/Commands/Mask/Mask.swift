import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie mask`, the name before the commands about masks.
    struct Mask: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mask",
            abstract: "Check, suggest and preview the masks of a backup.",
            subcommands: [Check.self, Suggest.self, Preview.self]
        )
    }
}

/// A command about masks: it asks the database of the backup, and writes nothing.
protocol MaskCommand: Subcommand {
    /// What it finds out.
    associatedtype Answer: Sendable

    /// What asks the database; the command itself cannot be sent to a task.
    var question: @Sendable (Configuration) async throws -> Answer { get }

    /// Shows the answer.
    ///
    /// - Throws: ``CommandError`` when standard output cannot be written.
    func show(_ answer: Answer, _ display: RunDisplay) throws -> ExitStatus
}

extension MaskCommand {
    func execute() async throws -> ExitStatus {
        let configuration = try Configuration.load(try options.sources(), for: .backup)
        let display = RunDisplay(options: options, logging: configuration.logging)
        display.warn(configuration.warnings)
        let question = question
        let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
            try await question(configuration)
        }
        switch (outcome.result, outcome.signal) {
        case (.failure, let signal?): return .interrupted(by: signal)
        case (.failure(let error), nil): throw error
        case (.success(let answer), _): return try show(answer, display)
        }
    }

    /// Writes lines to standard output.
    func write(_ lines: [String]) throws {
        try StandardStream.standardOutput.write(lines.map { $0 + "\n" }.joined())
    }

    /// Writes a value as one JSON document.
    func write(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let lines = try encoder.encode(value).split(separator: UInt8(ascii: "\n"))
        try write(lines.map { String(decoding: $0, as: UTF8.self).escapedInJSON })
    }
}
