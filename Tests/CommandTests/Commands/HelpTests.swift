import Testing

@Suite("Help and version")
struct HelpTests {
    @Test(
        "lists all options and commands",
        arguments: ["", "backup", "restore", "config", "manifest", "manifest create"]
    )
    func help(command: String) async throws {
        let arguments = command.split(separator: " ").map(String.init) + ["--help"]
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.error.isEmpty)
        try expectSnapshot((["help"] + arguments.dropLast()).joined(separator: "-"), outcome.output)
    }

    @Test("prints the version alone")
    func version() async throws {
        let outcome = try await Program().run("--version")
        #expect(outcome.status == 0)
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+[-.a-z0-9]*\n/) != nil)
    }

    @Test(
        "says in one line what is wrong with a command line, and ends with 2",
        arguments: [
            (["--nope", "backup"], "Unknown option '--nope'"),
            (["backup", "surplus"], "Unexpected argument 'surplus'"),
            (["backup", "--backup-id", "x"], "The value 'x' is invalid for '--backup-id <number>'"),
            (["backup", "--table"], "Missing value for '--table <table>'"),
            (["-u", "postgresql://a/b", "backup", "-C", "c"], "--url and --connection exclude each other"),
            (["backup", "--restore-id", "1"], "Unknown option '--restore-id'"),
            (
                ["--raw-config-format", "ini", "config"],
                "The value 'ini' is invalid for '--raw-config-format <format>'"
            ),
            ([], "Say what to do: backup, restore, config or manifest create."),
        ]
    )
    func mistakes(arguments: [String], message: String) async throws {
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix("databudgie: error: \(message)"))
        #expect(outcome.error.hasSuffix("'databudgie --help'.\n"))
    }
}
