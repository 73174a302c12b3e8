import ArgumentParser
import Databudgie
import Foundation
import SystemPackage

extension DatabudgieCommand {
    /// `databudgie init`.
    struct Init: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Write a first configuration for a database.",
            discussion: """
                The file runs as it is, and has comments about what the database holds. Nothing is written to the database, and \
                no password to the file. A file that exists is never replaced. Beside it, databudgie.schema.json tells editors \
                its keys.
                """
        )

        @Argument(
            help: ArgumentHelp(
                "The database; without it --url, or else libpq's PGHOST, PGDATABASE, PGUSER and the like.",
                valueName: "url"
            )
        )
        var database: String?

        @OptionGroup var options: SharedOptions

        @Option(name: .shortAndLong, help: ArgumentHelp("Write this file.", valueName: "file"), completion: .file())
        var output: String?

        func validate() throws {
            if database != nil, options.url != nil {
                throw ValidationError("the database is given twice, as an argument and by --url")
            }
            if let connection = options.connection {
                throw ValidationError(
                    "--connection \(connection) needs a configuration: give the database's URL instead"
                )
            }
        }

        func execute() async throws -> ExitStatus {
            let path = output ?? Self.usualName
            try refuseToReplace(path)
            let reader = try reader()
            let outcome = await withInterruption(onSignal: { _ in }) { try await reader.run() }
            let outline: DatabaseOutline
            switch (outcome.result, outcome.signal) {
            case (.failure, let signal?): return .interrupted(by: signal)
            case (.failure(let error), nil): throw error
            case (.success(let found), _): outline = found
            }
            let starter = StarterConfiguration(outline: outline, location: options.location ?? "backups")
            try write(starter.text, to: path)
            try writeSchema(beside: path)
            try StandardStream.standardOutput.write(
                starter.introduction(to: path, isUsualName: output == nil).map { $0.escapedForTerminal + "\n" }.joined()
            )
            return .success
        }

        private func reader() throws -> DatabaseOutlineReader {
            do {
                return try DatabaseOutlineReader(url: database ?? options.url)
            } catch {
                // Neither the message nor the hint repeats the URL, which may have a password.
                let problem = ErrorText(error)
                throw CommandError(.usage, problem.message, hint: problem.hint)
            }
        }

        /// The name that the other commands look for.
        private static let usualName = "databudgie.yml"

        /// Any of the files that the other commands look for would be read in place of the new one, or be replaced by it.
        private func refuseToReplace(_ path: String) throws {
            let names = output == nil ? ConfigurationSources.defaultFiles : [path]
            guard let existing = names.first(where: { FileManager.default.fileExists(atPath: $0) }) else { return }
            throw CommandError(
                .usage,
                "\(existing) exists already",
                hint: "rename it, or name another file with --output"
            )
        }

        /// Writes what editors complete and check the configuration with, unless it is there already.
        private func writeSchema(beside path: String) throws {
            let file = FilePath(path).removingLastComponent().appending(StarterConfiguration.schemaName).string
            guard !FileManager.default.fileExists(atPath: file) else { return }
            try write(ConfigurationSchema.json, to: file)
        }

        private func write(_ text: String, to path: String) throws {
            do {
                let file = try FileDescriptor.open(
                    FilePath(path),
                    .writeOnly,
                    options: [.create, .exclusiveCreate],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead]
                )
                do {
                    try file.closeAfter { _ = try file.writeAll(text.utf8) }
                } catch {
                    try? FileManager.default.removeItem(atPath: path)
                    throw error
                }
            } catch let error as Errno {
                throw CommandError(.output, "\(path) cannot be written: \(error.description)", hint: "check its folder")
            }
        }
    }
}

extension StarterConfiguration {
    /// What the user should know of the new file, and the next commands.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isUsualName: The other commands find it by themselves.
    /// - Returns: Lines for standard output.
    func introduction(to path: String, isUsualName: Bool) -> [String] {
        let tables = outline.schemas.flatMap(\.tables)
        let size = HumanNumber.bytes(tables.compactMap(\.bytes).reduce(0, +))
        var lines = ["\(path) is written: \(HumanNumber.count(tables.count, "table")), \(size)."]
        if !outline.unreadable.isEmpty {
            let count = HumanNumber.count(outline.unreadable.count, "table")
            lines.append(
                "\(count) cannot be read by the role \(outline.user), and \(count.hasPrefix("1 ") ? "is" : "are") excluded."
            )
        }
        if let problem = outline.definitionProblem { lines.append("Definitions are off: \(problem).") }
        if !variables.isEmpty {
            lines.append("It has no passwords: set \(variables.joined(separator: " and ")) in the environment first.")
        }
        let program = isUsualName ? "databudgie" : "databudgie -c \(path)"
        return lines + [
            "Next:",
            "  \(program) plan backup       what would be exported, and why",
            "  \(program) backup            the first set of files, in \(location)",
            "  \(program) restore -u URL    the same tables in another database",
        ]
    }
}
