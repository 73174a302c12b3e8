import ArgumentParser

/// `databudgie manifest`, the name that commands for the manifest table stand under.
struct ManifestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest",
        abstract: "Manage the table in which runs record what they have finished.",
        subcommands: [ManifestCreateCommand.self]
    )
}
