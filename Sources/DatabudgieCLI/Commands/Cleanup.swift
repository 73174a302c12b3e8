import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie cleanup`.
    struct Cleanup: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "cleanup",
            abstract: "Remove what killed backups have left.",
            discussion: """
                Temporary files and unfinished uploads that made no progress for a day are listed, and removed after a \
                confirmation. All locations of the backup are searched.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(name: .shortAndLong, help: "Skip the confirmation.")
        var yes = false

        func execute() async throws -> ExitStatus {
            let configuration = try Configuration.load(try options.sources(), for: .backup)
            let display = RunDisplay(options: options, logging: configuration.logging)
            display.warn(configuration.warnings)
            let cleanup = Databudgie.Cleanup(configuration)
            let found = try await cleanup.find()
            guard !found.isEmpty else {
                try say("There is nothing to remove.")
                return .success
            }
            for line in Self.lines(found) { try say(line) }
            let files = HumanNumber.count(found.count, "unfinished file")
            if configuration.backup.run.isDryRun {
                try say("Dry run of cleanup: nothing was removed.")
                return .success
            }
            if !yes { try Confirmation.ask("removes \(files)") }
            return try await removeInterruptibly(display) {
                try await cleanup.remove(found)
            } andThen: {
                try say("\(files) removed.")
            }
        }

        /// What was found, one line each: the path, what it is, its size and its age.
        static func lines(_ found: [Leftover]) -> [String] {
            let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day().time(
                includingFractionalSeconds: false
            )
            return found.map { leftover in
                let kind =
                    switch leftover.kind {
                    case .temporaryFile: "temporary file"
                    case .upload: "unfinished upload"
                    }
                let size = HumanNumber.bytes(leftover.size)
                return "\(leftover.place): \(kind), \(size), last written \(leftover.modified.formatted(style))"
            }
        }

        private func say(_ sentence: String) throws {
            try StandardStream.standardOutput.write(sentence.escapedForTerminal + "\n")
        }
    }
}
