import ArgumentParser
import Databudgie

extension DatabudgieCommand.Manifest {
    /// `databudgie manifest create`.
    struct Create: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Create the manifest table, unless it exists.",
            discussion: """
                The table is the one that 'manifest' names in the configuration, or the one given by --table, as table \
                or schema.table.
                """
        )

        @OptionGroup var options: SharedOptions

        @Option(
            name: .customLong("for"),
            help: ArgumentHelp("Create it in the database of this command.", valueName: "command")
        )
        var command: Command = .backup

        /// The values of `--for`.
        enum Command: String, ExpressibleByArgument, CaseIterable {
            case backup, restore
        }

        func validate() throws {
            if options.tables.count > 1 {
                throw ValidationError("--table can be given once: a database has one manifest table")
            }
        }

        func execute() async throws -> ExitStatus {
            var sources = try options.sources()
            // Here the option names the manifest, and no table to move.
            sources.overrides.tables = []
            let kind: RunKind = command == .backup ? .backup : .restore
            let configuration = try Configuration.load(sources, for: kind)
            let creation = ManifestCreation(configuration, for: kind, table: options.tables.first)
            switch try await creation.run() {
            case .created(let table):
                try say("The manifest table \(table) was created.")
            case .alreadyThere(let table):
                try say("The manifest table \(table) already exists and can be used.")
            }
            return .success
        }

        private func say(_ sentence: String) throws {
            try StandardStream.standardOutput.write(sentence.escapedForTerminal + "\n")
        }
    }
}
