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
                its keys. With --dry-run the file is printed, and nothing is written.
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

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp("Write this file, in YAML; print it for '-'.", valueName: "file"),
            completion: .file()
        )
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
            try refuseUnusedOptions()
            let path = output ?? Self.usualName
            let isPrinted = options.manner.dryRun == true || output == Self.standardOutputName
            let location = try StarterLocation(options.location ?? "backups").text
            if output != Self.standardOutputName {
                try refuseOtherFormats(path)
                try refuseToReplace(path)
            }
            let reader = try reader()
            let outcome = await withInterruption(onSignal: { _ in }) { try await reader.run() }
            let outline: DatabaseOutline
            switch (outcome.result, outcome.signal) {
            case (.failure, let signal?): return .interrupted(by: signal)
            case (.failure(let error), nil): throw error
            case (.success(let found), _): outline = found
            }
            var starter = StarterConfiguration(outline: outline, location: location)
            starter.hasSchema = output != Self.standardOutputName
            if isPrinted {
                try StandardStream.standardOutput.write(starter.text)
            } else {
                try write(starter.text, to: path)
                let keepsSchema = try !writeSchema(beside: path)
                try StandardStream.standardOutput.write(
                    starter.introduction(to: path, isUsualName: output == nil, keepsSchema: keepsSchema)
                        .map { $0.escapedForTerminal + "\n" }.joined()
                )
            }
            if let warning = starter.warning { options.errorWriter.warn(warning) }
            return .success
        }

        /// The name that stands for standard output.
        private static let standardOutputName = "-"

        /// Options of all commands that would change nothing here.
        private func refuseUnusedOptions() throws(CommandError) {
            let (selection, place) = (options.selection, options.place)
            let edit = "write it into the file that init writes"
            let unused: [(isGiven: Bool, name: String, hint: String)] = [
                (!selection.tables.isEmpty, "--table", "change 'tables' in the file that init writes"),
                (!selection.exclude.isEmpty, "--exclude", "write 'exclude' into the file that init writes"),
                (
                    selection.ddl != nil, selection.ddl == false ? "--no-ddl" : "--ddl",
                    "change 'ddl' in the file that init writes"
                ),
                (!place.configurationFiles.isEmpty, "--config", "name the file to write with --output"),
                (place.rawConfiguration != nil, "--raw-config", edit),
                (place.rawConfigurationFormat.isGiven, "--raw-config-format", "init writes YAML"),
                (place.adapter != nil, "--adapter", "leave it out: databases are always Postgres"),
                (
                    options.manner.strict != nil, options.manner.strict == false ? "--no-strict" : "--strict",
                    "write 'strict' into the file that init writes"
                ),
                (
                    options.display.stats != nil, options.display.stats == false ? "--no-stats" : "--stats",
                    "leave it out"
                ),
            ]
            guard let first = unused.first(where: \.isGiven) else { return }
            throw CommandError(.usage, "init takes no \(first.name)", hint: first.hint)
        }

        /// The other commands would read YAML as what the name says.
        private func refuseOtherFormats(_ path: String) throws(CommandError) {
            let ending = FilePath(path).extension?.lowercased() ?? ""
            guard !["yml", "yaml"].contains(ending) else { return }
            throw CommandError(
                .usage,
                "\(path): init writes YAML, which the name does not say",
                hint: "name it .yml or .yaml"
            )
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

        /// Writes what editors complete and check the configuration with, unless there is a file of that name.
        ///
        /// - Returns: False when another file of that name is kept.
        private func writeSchema(beside path: String) throws -> Bool {
            let file = FilePath(path).removingLastComponent().appending(StarterConfiguration.schemaName).string
            guard !FileManager.default.fileExists(atPath: file) else {
                return FileManager.default.contents(atPath: file) == Data(ConfigurationSchema.json.utf8)
            }
            try write(ConfigurationSchema.json, to: file)
            return true
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
    ///   - keepsSchema: There was another file in place of the schema.
    /// - Returns: Lines for standard output.
    func introduction(to path: String, isUsualName: Bool, keepsSchema: Bool) -> [String] {
        let found = "\(HumanNumber.count(exported.count, "table")), \(Self.size(of: exported))"
        var lines = ["\(path) is written" + (exported.isEmpty ? "." : ": \(found).")]
        if keepsSchema {
            lines.append(
                "\(Self.schemaName) beside it is another one, and is kept: 'databudgie config --schema' prints the current one."
            )
        }
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
            "  \(program) check             whether a backup finds what it needs",
            "  \(program) plan backup       what would be exported, and why",
            "  \(program) backup            the first set of files, in \(location)",
            "  \(program) restore -u URL    the same tables in another database",
            "With 'notify' in the file, each run is reported to a service or a command.",
        ]
    }

    /// What is wrong with a configuration that exports nothing; nil when it exports something.
    var warning: Message? {
        guard exported.isEmpty else { return nil }
        guard !outline.unreadable.isEmpty else {
            return Message(
                "the database \(outline.database) has no tables, so there is nothing to back up",
                hint: "check the name of the database, or create its tables and run init again"
            )
        }
        return Message(
            "the role \(outline.user) can read no table of the database \(outline.database), so there is nothing to back up",
            hint: "grant it USAGE on the schemas and SELECT on the tables, or connect as another role"
        )
    }
}
