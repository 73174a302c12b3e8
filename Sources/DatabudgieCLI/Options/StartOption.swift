import ArgumentParser

/// The option of subcommands that find the rows of a subset.
struct StartOption: ParsableArguments {
    @Option(
        name: .customLong("start"),
        help: ArgumentHelp(
            "Back up only these rows and what belongs to them, instead of 'start' of 'subset'; may be repeated.",
            valueName: "table=condition"
        )
    )
    var starts: [String] = []
}
