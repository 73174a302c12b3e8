import ArgumentParser
import Databudgie

/// `databudgie manifest create`.
struct ManifestCreateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make the manifest table, unless it is there.",
        discussion: """
            The table is the one that 'manifest' names in the configuration, or the one given by --table, as table or \
            schema.table.
            """
    )

    @OptionGroup var options: SharedOptions

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Make it in the database of this command.", valueName: "command")
    )
    var action: Action = .backup

    /// The values of `--for`.
    enum Action: String, ExpressibleByArgument, CaseIterable {
        case backup, restore
    }

    func validate() throws {
        if options.tables.count > 1 {
            throw ValidationError("--table can be given once; there is one manifest table in a database.")
        }
    }

    func execute() async throws -> ExitStatus {
        var sources = try options.sources()
        // Here the option names the manifest, and no table to move.
        sources.overrides.tables = []
        let action: RunKind = action == .backup ? .backup : .restore
        let configuration = try Configuration.load(sources, for: action)
        let creation = ManifestCreation(configuration, for: action, table: options.tables.first)
        switch try await creation.run() {
        case .created(let table):
            try say("The manifest table \(table) was created.")
        case .alreadyThere(let table):
            try say("The manifest table \(table) is there already and fits.")
        }
        return .success
    }

    private func say(_ sentence: String) throws {
        try StandardStream.standardOutput.write(sentence.escapedForTerminal + "\n")
    }
}
