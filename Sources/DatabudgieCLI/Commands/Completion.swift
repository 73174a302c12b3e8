import ArgumentParser

extension DatabudgieCommand {
    /// `databudgie completion`.
    struct Completion: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "completion",
            abstract: "Print the script by which a shell completes commands, options and names.",
            discussion: """
                Once it is installed, the Tab key completes subcommands, options, files, the entries of 'connections', and the \
                tables of the configuration and of its database, which is asked for 300 ms at most.

                bash, with the package bash-completion:
                  databudgie completion bash \\
                    >~/.local/share/bash-completion/completions/databudgie
                zsh, into a folder of $fpath:
                  databudgie completion zsh >"${fpath[1]}/_databudgie"
                fish:
                  databudgie completion fish \\
                    >~/.config/fish/completions/databudgie.fish

                A new shell reads it.
                """
        )

        @Argument(help: "The shell.")
        var shell: Shell

        /// The shells that have a script.
        enum Shell: String, ExpressibleByArgument, CaseIterable {
            case bash, zsh, fish

            var shell: CompletionShell {
                switch self {
                case .bash: .bash
                case .zsh: .zsh
                case .fish: .fish
                }
            }
        }

        func run() throws {
            try StandardStream.standardOutput.write(DatabudgieCommand.completionScript(for: shell.shell) + "\n")
        }
    }
}
