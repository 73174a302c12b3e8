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

    @Test("What this version cannot do is refused before anything is begun")
    func unsupported() async throws {
        let configuration = #"{"url": "postgresql://db/shop", "tables": [{"name": "a", "strategy": "use_latest_set"}]}"#
        let outcome = try await Program().run("restore", "--raw-config", configuration)
        #expect(outcome.status == 2)
        #expect(outcome.error.contains("not supported yet"))
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
