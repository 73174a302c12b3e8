import ArgumentParser
import Databudgie

/// The options of every subcommand, in the groups of the help.
struct SharedOptions: ParsableArguments {
    @OptionGroup(title: HelpGroup.what) var selection: SelectionOptions
    @OptionGroup(title: HelpGroup.where) var place: PlaceOptions
    @OptionGroup(title: HelpGroup.how) var manner: MannerOptions
    @OptionGroup(title: HelpGroup.output) var display: DisplayOptions

    /// The names and globs of `--table`.
    var tables: [String] { selection.tables }
    /// The names and globs of `--exclude`.
    var exclude: [String] { selection.exclude }
    /// `--location`.
    var location: String? { place.location }
    /// `--url`.
    var url: String? { place.url }
    /// `--connection`.
    var connection: String? { place.connection }
    /// How many `-v` there are.
    var verbose: Int { display.verbose }
}

/// The titles of groups of options in the help.
enum HelpGroup {
    static let what = "What"
    static let `where` = "Where"
    static let how = "How"
    static let output = "Output"
}

/// What is backed up or restored.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("table")],
        help: ArgumentHelp(
            "Use this table, or all that a glob matches, instead of 'tables' in the configuration; may be repeated.",
            valueName: "table"
        ),
        completion: Completions.table
    )
    var tables: [String] = []

    @Option(
        name: [.customShort("x", allowingJoined: true), .customLong("exclude")],
        help: ArgumentHelp("Skip this table, or all that a glob matches; may be repeated.", valueName: "table"),
        completion: Completions.table
    )
    var exclude: [String] = []

    @Flag(inversion: .prefixedNo, help: "Back up or restore the tables' definitions, too.")
    var ddl: Bool?
}

/// Where the configuration, the database and the files are.
struct PlaceOptions: ParsableArguments {
    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("config")],
        help: ArgumentHelp(
            "Read this configuration file, or standard input for '-'; may be repeated, later files win.",
            valueName: "file"
        ),
        completion: Completions.configurationFile
    )
    var configurationFiles: [String] = []

    @Option(
        name: [.customShort("u", allowingJoined: true), .customLong("url")],
        help: ArgumentHelp("Connect to the database at this URL.", valueName: "url")
    )
    var url: String?

    @Option(
        name: [.customShort("C", allowingJoined: true), .customLong("connection"), .customLong("conn")],
        help: ArgumentHelp("Use this entry of 'connections' in the configuration.", valueName: "name"),
        completion: Completions.connection
    )
    var connection: String?

    @Option(
        name: [.customShort("l", allowingJoined: true), .customLong("location")],
        help: ArgumentHelp("Write files to, or read them from, this folder or s3:// URL.", valueName: "location"),
        completion: .directory
    )
    var location: String?

    @Option(
        name: .customLong("raw-config"),
        parsing: .unconditional,
        help: ArgumentHelp("Use this text as the configuration.", valueName: "text")
    )
    var rawConfiguration: String?

    @Option(
        name: .customLong("raw-config-format"),
        help: ArgumentHelp("The format of --raw-config and of standard input.", valueName: "format")
    )
    var rawConfigurationFormat = InputFormat.unnamed

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Database type (only postgres).", valueName: "adapter")
    )
    var adapter: Adapter?

    func validate() throws {
        if url != nil, connection != nil {
            throw ValidationError("--url and --connection exclude each other")
        }
    }
}

/// How a run goes.
struct MannerOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Stop at the first table that fails; warnings about names become errors.")
    var strict: Bool?

    @Flag(
        name: .customLong("dry-run"),
        inversion: .prefixedNo,
        help: "Run the queries or check the files, but write nothing; implies --stats."
    )
    var dryRun: Bool?
}

/// What is shown.
struct DisplayOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Print a table of results to standard output.")
    var stats: Bool?

    @Flag(name: .shortAndLong, help: "Show details; -vv adds debug logs.")
    var verbose: Int

    @Flag(inversion: .prefixedNo, help: "Use colours on a terminal (default: unless NO_COLOR is set).")
    var color: Bool?

    @Option(
        name: .customLong("log-format"),
        help: ArgumentHelp("Write progress and messages as text or as JSON, one object per line.", valueName: "format")
    )
    var logFormat: LogFormat = .text
}
