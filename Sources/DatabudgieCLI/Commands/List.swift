import ArgumentParser
import Databudgie
import Foundation

extension DatabudgieCommand {
    /// `databudgie list`.
    struct List: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the backup sets.",
            discussion: """
                The newest set comes first. A run that is under way, or was killed, is listed as well. The exit code is 1 \
                if a record cannot be read.
                """
        )

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.where) var place: CatalogOptions

        @Flag(help: "Print one JSON document.")
        var json = false

        @Flag(help: "Make sets of the files of backups without records, such as those of databudgie 2.9.3.")
        var adopt = false

        @Flag(name: .shortAndLong, help: "Skip the confirmation of --adopt.")
        var yes = false

        func validate() throws {
            if adopt, json { throw ValidationError("--adopt and --json exclude each other") }
            if adopt, place.command == .restore { throw ValidationError("--adopt is for the backup's locations") }
        }

        func execute() async throws -> ExitStatus {
            let (configuration, kind) = try place.load(options)
            if adopt { return try await adoptSets(configuration) }
            let list = SetList(configuration, for: kind)
            let catalog = try list.catalog()
            let sets = try await list.read()
            if json {
                try StandardStream.standardOutput.write(SetJSON.list(sets, in: catalog))
            } else if sets.isEmpty {
                try say("There are no sets in \(catalog).")
            } else {
                try SetTable.lines(sets, now: Date()).forEach(say)
            }
            let problems = sets.compactMap(\.problem)
            for problem in problems { options.errorWriter.write(problem) }
            return problems.isEmpty ? .success : .failure
        }

        private func adoptSets(_ configuration: Configuration) async throws -> ExitStatus {
            let adoption = SetAdoption(configuration)
            let catalog = try adoption.catalog()
            let found = try await adoption.find()
            guard !found.isEmpty else {
                try say(
                    "There is nothing to adopt: no file with a timestamp in its path is without a set in \(catalog)."
                )
                return .success
            }
            try SetTable.lines(found, now: Date()).forEach(say)
            let sets = HumanNumber.count(found.count, "set")
            if configuration.backup.run.isDryRun {
                try say("Dry run of list --adopt: \(sets) would be recorded in \(catalog); nothing was written.")
                return .success
            }
            if !yes { try Confirmation.ask("records \(sets) in \(catalog), without reading the files") }
            try await adoption.adopt(found)
            try say("\(sets) recorded in \(catalog).")
            return .success
        }

        private func say(_ line: String) throws {
            try StandardStream.standardOutput.write(line.escapedForTerminal + "\n")
        }
    }
}
