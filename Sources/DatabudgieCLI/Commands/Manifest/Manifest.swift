import ArgumentParser

extension DatabudgieCommand {
    /// `databudgie manifest`, the name before the commands of the manifest table.
    struct Manifest: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "manifest",
            abstract: "Manage the table in which runs record their finished tables.",
            subcommands: [Create.self]
        )
    }
}
