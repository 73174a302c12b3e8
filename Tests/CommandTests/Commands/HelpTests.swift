import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("Help and version")
struct HelpTests {
    @Test(
        "Help lists all options and commands",
        arguments: [
            "", "init", "check", "backup", "restore", "config", "manifest", "manifest create", "cleanup", "list",
            "show",
            "compare",
            "verify", "prune", "plan", "plan backup", "plan restore", "why", "mask", "mask check", "mask suggest",
            "mask preview", "completion",
        ]
    )
    func help(command: String) async throws {
        let arguments = command.split(separator: " ").map(String.init) + ["--help"]
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.error.isEmpty)
        try expectSnapshot((["help"] + arguments.dropLast()).joined(separator: "-"), outcome.output)
    }

    @Test("--version prints the version alone")
    func version() async throws {
        let outcome = try await Program().run("--version")
        #expect(outcome.status == 0)
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+[-.a-z0-9]*\n/) != nil)
    }

    @Test(
        "A mistake on the command line is reported with a hint, and ends with 2",
        arguments: [
            (["--nope", "backup"], "unknown option '--nope'"),
            (["backup", "surplus"], "unexpected argument 'surplus'"),
            (["backup", "--backup-id", "x"], "the value 'x' is invalid for '--backup-id <number>'"),
            (["backup", "--table"], "missing value for '--table <table>'"),
            (["-u", "postgresql://a/b", "backup", "-C", "c"], "--url and --connection exclude each other"),
            // A number may follow -j at once, as with pg_dump; of several readings of a word the first is reported.
            (["backup", "-j0"], "--jobs is a number from 1 to "),
            (["restore", "-j0"], "--jobs is a number from 1 to "),
            (["backup", "-j2x"], "unknown option '-j2x'"),
            (["list", "-j2"], "unknown option '-j2'"),
            (["backup", "--restore-id", "1"], "unknown option '--restore-id'"),
            (
                ["--raw-config-format", "ini", "config"],
                "the value 'ini' is invalid for '--raw-config-format <format>'"
            ),
            (["verify", "--into", "x"], "--into needs --level restore"),
            (["verify", "--against-source", "--level", "rows"], "--against-source needs --level restore"),
            (
                ["verify", "--against-source", "--level", "restore", "-u", "postgresql://a/b"],
                "--url names one database, and --against-source needs two"
            ),
            (["compare", "--for", "restore"], "--for has no effect without --against"),
            ([], "missing subcommand: init, check, backup, restore, plan backup, plan restore, why, list, show, "),
        ]
    )
    func mistakes(arguments: [String], message: String) async throws {
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errorLines.count == 2)
        #expect(outcome.error.hasPrefix("databudgie: error: \(message)"))
        #expect(outcome.errorLines.last?.hasPrefix("  hint: ") == true)
        #expect(
            outcome.error.hasSuffix("see 'databudgie --help'\n") || outcome.error.hasSuffix("See 'databudgie --help'\n")
        )
    }

    @Test(
        "A subcommand that is none suggests the nearest one, also of a command of several, and what other tools call it",
        arguments: [
            (["bakcup"], "backup"), (["-t", "x", "restor"], "restore"), (["mask", "chek"], "mask check"),
            (["plan", "bakup", "-t", "x"], "plan backup"), (["-v", "manifest", "creat"], "manifest create"),
            (["dump"], "backup"), (["ls"], "list"), (["completions", "bash"], "completion"),
        ]
    )
    func suggestion(arguments: [String], command: String) async throws {
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 2)
        #expect(
            outcome.error.hasSuffix("  hint: did you mean '\(command)'? See 'databudgie --help'\n"),
            "\(outcome.error)"
        )
    }

    @Test(
        "What follows the name of a subcommand is not taken for one",
        arguments: [["backup", "restor"], ["config", "dump"]]
    )
    func noSuggestion(arguments: [String]) async throws {
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 2 && outcome.error.hasSuffix("  hint: see 'databudgie --help'\n"), "\(outcome.error)")
    }

    @Test("A URL without a configuration or a table says what is missing", arguments: ["backup", "restore"])
    func onlyURL(command: String) async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run(command, "-u", "postgresql://127.0.0.1:1/shop")
            #expect(outcome.status == 2)
            #expect(
                outcome.error.hasPrefix("databudgie: error: no tables are named: there is no configuration file in ")
            )
            #expect(outcome.error.contains("-t 'public.*'") && outcome.error.contains("'databudgie init URL'"))
        }
    }

    @Test("A mistake on the command line is JSON when JSON is asked for", arguments: [true, false])
    func mistakeAsJSON(isJoined: Bool) async throws {
        let option = isJoined ? ["--log-format=json"] : ["--log-format", "json"]
        let outcome = try await Program().run(["backup", "surplus"] + option)
        #expect(outcome.status == 2)
        #expect(outcome.errorLines.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(outcome.error.utf8)) as? [String: Any]
        #expect(object?["event"] as? String == "error")
        #expect(object?["message"] as? String == "unexpected argument 'surplus'")
        #expect(object?["hint"] as? String == "see 'databudgie --help'")
    }

    @Test(
        "A password in a misplaced argument is not printed",
        arguments: [
            ["backup", "postgresql://me:hunter2@db/shop"],
            ["backup", "--adapter=postgresql://me:p'ss/ hunter2 @db/shop"],
            ["backup", "host=db password='hunter2 \\' hunter2' user=me"],
            ["postgresql://me:hunter2@db/shop"], ["me:hunter2@db/shop", "backup"], ["backup", "me:hunter2"],
            ["backup", "me:p@hunter2@db/shop"], ["backup", "postgresql://me:p#hunter2/hunter2?@hunter2@db/shop"],
            ["backup", "postgresql://me:hunter2"], ["backup", "--log-format=me:hunter2@db"],
            ["backup", "--backup-id", "me:hunter2@db"],
        ]
    )
    func misplacedPassword(arguments: [String]) async throws {
        let outcome = try await Program().run(arguments)
        #expect(outcome.status == 2)
        #expect(!outcome.error.contains("hunter2"))
        #expect(outcome.error.contains("***"))
    }

    @Test(
        "A password in an option that it does not belong in is not printed, as text and as JSON",
        arguments: [
            ["-c", "me:hunter2@db/shop"], ["-c", "postgresql://me:hunter2@db/shop"], ["-C", "me:hunter2@db/shop"],
            ["-u", "me:hunter2@db/shop"], ["-u", "postgresql://me:p@hunter2@db/shop"],
            ["--raw-config", "me:hunter2@db/shop"], ["--raw-config", "{\"me:hunter2@db\": 1}"],
            ["-C", "postgresql://me:hunter2@db/shop", "--raw-config", "{\"url\": {\"password\": hunter2}}"],
            ["-l", "postgresql://me:hunter2@db/{shop}"],
        ],
        ["backup", "restore", "config"]
    )
    func misplacedPasswordInOption(arguments: [String], command: String) async throws {
        for format in ["text", "json"] {
            let outcome = try await Program().run([command, "--log-format", format] + arguments)
            #expect(outcome.status == 2)
            #expect(!outcome.error.isEmpty)
            #expect(!(outcome.error + outcome.output).contains("hunter2"), "\(outcome.error)")
        }
    }

    @Test("The parser's advice becomes the hint")
    func advice() {
        let choice = CommandError(
            parserMessage:
                "The value 'x.' is invalid for '--for <command>'. Please provide one of 'backup' or 'restore'.",
            of: []
        )
        #expect(choice.message == "the value 'x.' is invalid for '--for <command>'")
        #expect(choice.hint == "provide one of 'backup' or 'restore'; see 'databudgie --help'")
        let guess = CommandError(parserMessage: "Unknown option '--tabel'. Did you mean '--table'?", of: [])
        #expect(guess.message == "unknown option '--tabel'")
        #expect(guess.hint == "did you mean '--table'? See 'databudgie --help'")
        let several = CommandError(
            parserMessage: "Unknown option '-j2'\n   or: Missing value for '-j <number>' in '-j2'",
            of: []
        )
        #expect(several.message == "unknown option '-j2'")
    }
}
