import ArgumentParser

/// The program's root: the options that every subcommand shares, before or after its name.
struct DatabudgieCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "databudgie",
        abstract: "Backs up part of a Postgres database to plain files, and puts it back.",
        discussion: """
            What to back up stands in a configuration file, databudgie.yml in the current folder unless --config \
            names another. Options may stand before or after the subcommand.
            """,
        version: programVersion,
        subcommands: [BackupCommand.self, RestoreCommand.self, ConfigCommand.self, ManifestCommand.self]
    )

    // The parser looks for these in the whole command line before it turns to the subcommand, which then gets the same
    // values: that is what lets them stand on either side of its name.
    @OptionGroup var options: SharedOptions
}
