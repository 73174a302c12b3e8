import ArgumentParser
import Databudgie

/// The options by which a restore, and the plan of one, choose what is restored and from which set.
struct RestoreRunOptions: ParsableArguments {
    @OptionGroup(title: HelpGroup.what) var choice: SetChoiceOptions
    @OptionGroup(title: HelpGroup.how) var manner: RestoreMannerOptions

    /// Puts them over what the configuration says.
    func add(to overrides: inout ConfigurationOverrides) {
        overrides.restoreID = manner.restoreID
        overrides.set = choice.set
        overrides.asOf = choice.asOf
        overrides.clean = manner.clean
    }
}

/// The set that is restored.
struct SetChoiceOptions: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Restore this backup set: its id, how it begins, or latest.", valueName: "id")
    )
    var set: String?

    @Option(
        name: .customLong("as-of"),
        help: ArgumentHelp("Restore the newest backup set of this time or before (UTC).", valueName: "time")
    )
    var asOf: String?
}

/// How it is restored.
struct RestoreMannerOptions: ParsableArguments {
    @Option(
        name: .customLong("restore-id"),
        help: ArgumentHelp("Resume the run with this id.", valueName: "number")
    )
    var restoreID: Int?

    @Flag(inversion: .prefixedNo, help: "Drop and re-create the target database first.")
    var clean: Bool?
}
