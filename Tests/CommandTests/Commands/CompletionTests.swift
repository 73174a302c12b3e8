import Databudgie
import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("Completions")
struct CompletionTests {
    /// What the shell is offered for the last of some words, as its script asks for it.
    private func offered(_ program: Program, _ command: String, _ option: String, _ words: String...) async throws
        -> Program.Outcome
    {
        let words = ["databudgie"] + words
        let last = words.last ?? ""
        let request = ["---completion"] + command.split(separator: " ").map(String.init) + ["--", option]
        return try await program.run(request + ["\(words.count - 1)", "\(last.count)"] + words)
    }

    private func lines(_ outcome: Program.Outcome) -> [String] {
        outcome.output.split(separator: "\n").map(String.init)
    }

    @Test("Each shell gets its script, and bash reads its own", arguments: ["bash", "zsh", "fish"])
    func scripts(shell: String) async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run("completion", shell)
            #expect(outcome.status == 0 && outcome.error.isEmpty)
            #expect(outcome.output.contains("---completion") && outcome.output.contains("databudgie"))
            if shell == "zsh" { #expect(outcome.output.hasPrefix("#compdef databudgie\n")) }
            if shell == "bash" {
                let check = try await Program(folder: folder).shell(
                    "databudgie completion bash >script && bash -n script"
                )
                #expect(check.status == 0, "\(check.error)")
            }
        }
        let unknown = try await Program().run("completion", "tcsh")
        #expect(unknown.status == 2 && unknown.error.contains("'bash', 'zsh' or 'fish'"), "\(unknown.error)")
    }

    @Test("bash completes connections, tables of the database, files and subcommands")
    func bash() async throws {
        try await Shop.with { shop in
            try shop.configure(
                "connections: {staging: \"\(shop.url)\", stable: postgresql://nowhere/x}\ntables: [crm.a]"
            )
            /// The words of a line, the last of which is completed.
            func complete(_ words: String...) async throws -> Set<String> {
                let list = (["databudgie"] + words).map { "'\($0)'" }.joined(separator: " ")
                let outcome = try await shop.program.shell(
                    """
                    source <(databudgie completion bash); COMP_WORDS=(\(list)); COMP_CWORD=\(words.count)
                    COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
                    _databudgie databudgie "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\\n' "${COMPREPLY[@]}"
                    """
                )
                #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
                return Set(outcome.output.split(separator: "\n").map(String.init))
            }
            #expect(try await complete("backup", "-C", "sta") == ["staging", "stable"])
            #expect(
                try await complete("plan", "backup", "-t", "public.") == [
                    "public.*", "public.products", "public.sales",
                ]
            )
            #expect(try await complete("backup", "-c", "data") == ["databudgie.yml"])
            #expect(try await complete("prun") == ["prune"])
            #expect(try await complete("plan", "re") == ["restore"])
        }
    }

    @Test("Tables are those of the database that the line names, and of the half of the configuration that counts")
    func database() async throws {
        try await Shop.with { shop in
            let yaml =
                "backup: {tables: [kept.backup]}\nrestore: {url: 'postgresql://127.0.0.1:1/x', tables: [kept.restore]}"
            try shop.configure(yaml)
            let backup = try await offered(shop.program, "backup", "--table", "backup", "-t", "")
            #expect(lines(backup) == ["kept.backup", "public.*", "public.products", "public.sales"], "\(backup.error)")
            let restore = try await offered(shop.program, "restore", "--table", "restore", "-t", "")
            #expect(lines(restore) == ["kept.restore"] && restore.error.isEmpty && restore.status == 0)
            let url = try await offered(
                shop.program,
                "restore",
                "--table",
                "restore",
                "-u",
                "\"\(shop.url)\"",
                "-t",
                "public.s"
            )
            #expect(lines(url) == ["public.sales"], "\(url.error)")
            let joined = shop.url.replacing("'", with: "\\'")
            let named = try await offered(
                shop.program,
                "restore",
                "--table",
                "restore",
                "--url=\(joined)",
                "-t",
                "public.s"
            )
            #expect(lines(named) == ["public.sales"], "\(named.error)")
        }
    }

    @Test("Names that a shell could take for a command are not offered")
    func hostileNames() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                """
                create table "$(touch hacked)" (id int); create table "`touch hacked`" (id int); create table "a b" (id int);
                create table "a'b" (id int); create table "~root" (id int); create table "{a,b}" (id int);
                create table "ärger" (id int); create view totals as select 1 as a;
                """
            )
            try shop.configure("connections: {'$(touch hacked)': postgresql://a/b, good: postgresql://a/b}")
            let connections = try await offered(shop.program, "backup", "--connection", "backup", "-C", "")
            #expect(lines(connections) == ["good"])
            let tables = try await offered(shop.program, "backup", "--table", "backup", "-t", "")
            let expected = ["public.*", "public.products", "public.sales", "public.totals", "public.ärger"]
            #expect(lines(tables) == expected, "\(tables.output)")
        }
    }

    @Test(
        "Without a server that answers, a configuration that can be read, or a file, nothing is said and little is offered"
    )
    func failures() async throws {
        try await Shop.with { shop in
            try await SilentProxy.withProxy(to: shop.parameters) { proxy in
                proxy.become(.swallowing)
                let silent = Shop(parameters: proxy.parameters, folder: shop.folder)
                try silent.configure("tables: [kept.table]\nconnections: {a: x}")
                let outcome = try await offered(shop.program, "backup", "--table", "backup", "-t", "")
                #expect(outcome.status == 0 && outcome.error.isEmpty && lines(outcome) == ["kept.table"])
            }
            for text in ["tables: [", "tables: <% ENV[MISSING] %>", "unknown: key"] {
                try Data(text.utf8).write(to: URL(filePath: shop.folder + "/databudgie.yml"))
                for option in ["--table", "--connection"] {
                    let outcome = try await offered(shop.program, "backup", option, "backup", option, "")
                    #expect(outcome.status == 0 && outcome.error.isEmpty && lines(outcome).isEmpty, "\(outcome.error)")
                }
            }
        }
        try await withTemporaryFolder { folder in
            let outcome = try await offered(Program(folder: folder), "backup", "--connection", "backup", "-C", "")
            #expect(outcome.status == 0 && outcome.error.isEmpty && lines(outcome).isEmpty)
        }
    }

    @Test("Quotes and joined values of a line are read as the shell reads them")
    func line() {
        let words = ["databudgie", "restore", "-c'a b.yml'", "--config=\"c.yml\"", "-C", "sta\\ging", "-t", "'x"]
        let line = CompletedLine(words, completing: 7)
        #expect(line.configurationFiles == ["a b.yml", "c.yml"] && line.connection == "staging" && line.url == nil)
        #expect(line.kind == .restore)
        #expect(CompletedLine.unquoted("'public.\"a") == "public.\"a")
    }
}
