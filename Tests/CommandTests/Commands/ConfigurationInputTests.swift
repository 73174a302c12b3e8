import DatabudgieTestSupport
import Foundation
import Testing

@Suite("Configuration from outside")
struct ConfigurationInputTests {
    private static let json = #"{"backup": {"url": "postgresql://me:hunter2@db/shop", "tables": ["public.fromjson"]}}"#

    @Test("The command config prints to standard output, with secrets hidden")
    func secrets() async throws {
        let outcome = try await Program().run("config", "--raw-config", Self.json)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("public.fromjson"))
        #expect(!outcome.output.contains("hunter2"))
        #expect(outcome.output.contains("***"))
        #expect(outcome.error.isEmpty)
    }

    @Test(
        "The command config prints its warnings on standard error, unless logging holds them back",
        arguments: [true, false]
    )
    func warnings(areShown: Bool) async throws {
        let text = #"{"connections": {"old": "mysql://db/shop"}, "logging": {"enabled": \#(areShown)}}"#
        let outcome = try await Program().run("config", "--raw-config", text)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("connections: {}"))
        #expect(outcome.error.contains("warning: --raw-config:1: the connection 'old' cannot be used") == areShown)
    }

    @Test("A pipe to standard input is configuration, in the format that --raw-config-format names")
    func pipe() async throws {
        let json = try await Program().run(["config"], input: Self.json)
        #expect(json.status == 0)
        #expect(json.output.contains("public.fromjson"))
        let yaml = try await Program().run(
            ["config", "--raw-config-format", "yaml"],
            input: "tables: [public.fromyaml]"
        )
        #expect(yaml.status == 0)
        #expect(yaml.output.contains("public.fromyaml"))
    }

    @Test(
        "A standard input without content is not configuration",
        arguments: ["</dev/null", "<&-", "< <(true)", "< <(printf '\\n')", "<empty"]
    )
    func nothing(redirection: String) async throws {
        try await withTemporaryFolder { folder in
            try Data("tables: [public.fromfile]".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            try Data().write(to: URL(filePath: folder + "/empty"))
            let outcome = try await Program(folder: folder).shell("databudgie config \(redirection)")
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("public.fromfile"))
        }
    }

    @Test("A terminal is not read, whatever is typed into it")
    func terminal() async throws {
        try await withTemporaryFolder { folder in
            try Data("tables: [public.fromfile]".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            let outcome = try await Program(folder: folder).shell(
                #"printf '{"tables": ["public.typed"]}\n\004' | script -qec 'databudgie config' /dev/null"#
            )
            #expect(outcome.output.contains("public.fromfile"))
        }
    }

    @Test("A file's content on standard input is configuration")
    func file() async throws {
        try await withTemporaryFolder { folder in
            try Data(Self.json.utf8).write(to: URL(filePath: folder + "/input"))
            let outcome = try await Program(folder: folder).shell("databudgie config <input")
            #expect(outcome.output.contains("public.fromjson"))
        }
    }

    @Test("Standard input is left alone when a file is named, and read when it or its format is asked for")
    func standardInputOnRequest() async throws {
        try await withTemporaryFolder { folder in
            try Data("tables: [public.fromfile]".utf8).write(to: URL(filePath: folder + "/a.yml"))
            let program = Program(folder: folder)
            let unwanted = try await program.shell("echo 'not configuration: [' | databudgie config -c a.yml")
            #expect(unwanted.status == 0)
            #expect(unwanted.output.contains("public.fromfile"))
            let both = try await program.run(["config", "-c", "a.yml", "-c", "-"], input: #"{"environment": "piped"}"#)
            #expect(both.output.contains("public.fromfile") && both.output.contains("environment: piped"))
            let format = try await program.run(
                ["config", "-c", "a.yml", "--raw-config-format", "yaml"],
                input: "environment: piped"
            )
            #expect(format.output.contains("public.fromfile") && format.output.contains("environment: piped"))
            let text = try await program.shell(
                "echo [ | databudgie config -c a.yml --raw-config-format yaml --raw-config 'environment: text'"
            )
            #expect(text.output.contains("environment: text"))
            let empty = try await program.run(["config", "-c", "-"])
            #expect(empty.status == 2)
            #expect(empty.error.hasPrefix("databudgie: error: standard input is empty\n  hint: "))
        }
    }

    @Test("An endless standard input is refused at 4 MB, and is none of the business of a run with a file")
    func endlessInput() async throws {
        try await withTemporaryFolder { folder in
            try Data("environment: fromfile".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            let program = Program(folder: folder)
            for command in ["config", "restore --clean"] {
                let endless = try await program.shell("yes | databudgie \(command); echo ${PIPESTATUS[1]}")
                #expect(endless.output == "2\n")
                #expect(endless.error.contains("standard input has more than 4 MB, which is not a configuration"))
            }
            let file = try await program.shell("yes | databudgie config -c databudgie.yml")
            #expect(file.status == 0 && file.output.contains("fromfile"))
            let limit = 4 << 20
            let fits = try await program.shell("head -c \(limit) </dev/zero | tr '\\0' ' ' | databudgie config")
            #expect(fits.status == 0 && fits.output.contains("fromfile"))
        }
    }

    @Test("A pipe that says nothing is mentioned, as text and as JSON")
    func silentInput() async throws {
        for (option, expected) in [
            ("", "databudgie: warning: waiting for configuration on standard input"),
            ("--log-format json", #""event":"warning""#),
        ] {
            try await withTemporaryFolder { folder in
                // The pipe closes when the message has come.
                let outcome = try await Program(folder: folder).shell(
                    """
                    mkfifo in out
                    databudgie config \(option) <in >/dev/null 2>out &
                    exec 4>in 5<out
                    read -u 5 line; echo "$line"
                    exec 4>&-; wait $!
                    """
                )
                #expect(outcome.status == 0)
                #expect(outcome.output.contains(expected), "\(outcome.output) \(outcome.error)")
            }
        }
    }

    @Test("The command config says that there is no file, and where it was looked for")
    func noFile() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run("config")
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("tables: []"))
            #expect(
                outcome.error.contains("warning: there is no configuration file in \(folder); these are the defaults")
            )
            #expect(outcome.error.contains("looked for config.databudgie.yml, databudgie.yml, "))
            let run = try await Program(folder: folder).run("backup")
            #expect(run.status == 2)
            #expect(
                run.error.contains(
                    "there is no configuration file in \(folder)\n  hint: write one with 'databudgie init URL', "
                )
            )
        }
    }

    @Test("An unknown subcommand suggests the nearest")
    func unknownSubcommand() async throws {
        let outcome = try await Program().run("bakcup")
        #expect(outcome.status == 2)
        #expect(
            outcome.error
                == "databudgie: error: unexpected argument 'bakcup'\n  hint: did you mean 'backup'? See 'databudgie --help'\n"
        )
        for arguments in [["help", "bakcup"], ["bakcup", "--help"], ["bakcup", "-h", "-c", "x.yml"]] {
            #expect(try await Program().run(arguments).error == outcome.error)
        }
        let far = try await Program().run("frobnicate")
        #expect(far.error.contains("hint: see 'databudgie --help'"))
        let surplus = try await Program().run("backup", "backups")
        #expect(!surplus.error.contains("did you mean"))
    }

    @Test("An unknown key is reported with its file and line, and ends with 2")
    func unknownKey() async throws {
        try await withTemporaryFolder { folder in
            try Data("tables: []\ncompresion: gzip\n".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            let outcome = try await Program(folder: folder).run("backup")
            #expect(outcome.status == 2)
            #expect(outcome.errors.count == 1)
            #expect(outcome.error.hasPrefix("databudgie: error: databudgie.yml:2: "))
            #expect(outcome.error.contains("compression"))
        }
    }

    @Test("Each problem of a configuration has a line of its own")
    func severalProblems() async throws {
        let outcome = try await Program().run("backup", "--raw-config", #"{"nope": 1, "neither": 2}"#)
        #expect(outcome.status == 2)
        #expect(outcome.errors.count == 2)
        #expect(outcome.errorLines.allSatisfy { $0.hasPrefix("databudgie: error: ") || $0.hasPrefix("  hint: ") })
    }

    @Test("Warnings of a configuration come before the error that refuses it")
    func warningsBeforeErrors() async throws {
        let text = #"{"compression": "rar"}"#
        let program = Program(environment: ["DATABUDGIE_MANIFST": "public.m"])
        let outcome = try await program.run("backup", "--raw-config", text)
        #expect(outcome.status == 2)
        #expect(outcome.errorLines.first?.hasPrefix("databudgie: warning: environment variable ") == true)
        #expect(outcome.errorLines.dropFirst().first == "  hint: did you mean 'manifest'?")
        #expect(outcome.errors.count == 1)
        let json = try await program.run("backup", "--raw-config", text, "--log-format", "json")
        #expect(json.errorLines.count == 2)
        #expect(json.errorLines.first?.contains(#""event":"warning""#) == true)
        #expect(json.errorLines.last?.contains(#""event":"error""#) == true)
    }

    @Test("A configuration file that does not exist ends with 2")
    func missingFile() async throws {
        let outcome = try await Program().run("-c", "nowhere.yml", "backup")
        #expect(outcome.status == 2)
        #expect(outcome.error.contains("nowhere.yml"))
    }

    @Test("A set and another strategy exclude each other, and so do the two ways to choose a set")
    func conflictingSets() async throws {
        let configuration =
            #"{"url": "postgresql://db/shop", "tables": [{"name": "a", "strategy": "use_latest_filename"}]}"#
        let outcome = try await Program().run("restore", "--raw-config", configuration, "--set", "latest")
        #expect(outcome.status == 2)
        #expect(outcome.error.contains("'strategy: use_latest_filename' and --set exclude each other"))
        let both = try await Program().run(
            "restore",
            "--raw-config",
            configuration,
            "--set",
            "x",
            "--as-of",
            "2026-01-02"
        )
        #expect(both.status == 2)
        #expect(both.error.contains("--set and --as-of exclude each other"))
        let time = try await Program().run("restore", "--raw-config", configuration, "--as-of", "yesterday")
        #expect(time.status == 2)
        #expect(time.error.contains("--as-of: 'yesterday' is not a date or a time"))
    }

    @Test("Results that cannot be written are an error, a reader that went away is not")
    func standardOutput() async throws {
        let full = try await Program().shell("databudgie config --raw-config '{}' >/dev/full")
        #expect(full.status == 1)
        #expect(full.error == "databudgie: error: standard output cannot be written: No space left on device\n")
        let gone = try await Program().shell("databudgie config --raw-config '{}' | true; echo ${PIPESTATUS[0]}")
        #expect(gone.output == "0\n")
        #expect(gone.error.isEmpty)
    }
}
