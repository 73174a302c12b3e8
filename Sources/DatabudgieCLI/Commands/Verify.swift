import ArgumentParser
import Databudgie
import Synchronization

extension DatabudgieCommand {
    /// `databudgie verify`.
    struct Verify: Subcommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Compare the files of a backup set with its record.",
            discussion: """
                The levels, each of which includes those before it: 'files' looks whether all files are there and have \
                the right sizes; 'hashes' reads them and compares the SHA-256, the size and the rows of every segment; \
                'rows' also compares the header, and the number of fields of every record; 'restore' is a drill: it \
                restores the set into a database of its own on the restore's server, compares the rows there with those \
                of the files, and removes the database. The result is stored beside the record, and shown by \
                'databudgie list'. The exit code is 1 if anything is found.
                """
        )

        @OptionGroup var options: SharedOptions
        @OptionGroup(title: HelpGroup.where) var place: CatalogOptions

        @Argument(
            help: ArgumentHelp(
                "'latest', the newest complete set (the default); an id; or its beginning.",
                valueName: "set"
            )
        )
        var set: String?

        @Flag(name: .customLong("all"), help: "Verify all sets.")
        var isForAll = false

        @Option(help: ArgumentHelp("How thoroughly: files, hashes, rows or restore.", valueName: "level"))
        var level: Level = .hashes

        @Option(
            help: ArgumentHelp(
                "Restore on the server of this URL, or of this entry of 'connections'; its database stays as it is.",
                valueName: "server"
            ),
            completion: Completions.connection
        )
        var into: String?

        @Flag(
            name: .customLong("against-source"),
            help: "Also compare the restored rows with those of the backup's database."
        )
        var isAgainstSource = false

        @Option(help: ArgumentHelp("Read this many files at once.", valueName: "number"))
        var jobs: Int?

        /// The values of `--level`.
        enum Level: String, ExpressibleByArgument, CaseIterable {
            case files, hashes, rows, restore

            /// The same for the library.
            var level: SetVerification.Level {
                switch self {
                case .files: .files
                case .hashes: .hashes
                case .rows: .rows
                case .restore: .restore
                }
            }
        }

        func validate() throws {
            if isForAll, set != nil { throw ValidationError("--all and the id of a set exclude each other") }
            if level != .restore, into != nil || isAgainstSource {
                throw ValidationError("\(into == nil ? "--against-source" : "--into") needs --level restore")
            }
            if isAgainstSource, options.url != nil || options.connection != nil {
                throw ValidationError(
                    "\(options.url == nil ? "--connection" : "--url") names one database, and --against-source needs two"
                )
            }
            if let jobs, !(1...64).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 64") }
        }

        func execute() async throws -> ExitStatus {
            let (configuration, kind) = try place.load(options)
            let display = RunDisplay(options: options, logging: configuration.logging)
            let verify = try verification(configuration, kind)
            let results = VerificationResults()
            let (set, isForAll) = (set, isForAll)
            let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
                try await display.whileDrawing {
                    let onEvent: @Sendable (VerificationEvent) -> Void = { event in
                        results.add(event)
                        display.handle(event)
                    }
                    return try await verify(isForAll ? nil : set ?? "latest", onEvent)
                }
            }
            display.close()
            return try conclude(outcome, results, display)
        }

        /// What verifies the set of a name, or all of them.
        private func verification(
            _ configuration: Configuration,
            _ kind: RunKind
        ) throws -> @Sendable (String?, @escaping @Sendable (VerificationEvent) -> Void) async throws -> [VerifiedSet] {
            let jobs = jobs ?? Verification.standardJobs
            guard level == .restore else {
                let verification = Verification(configuration, for: kind, level: level.level, jobs: jobs)
                return { set, onEvent in
                    guard let set else { return try await verification.runAll(onEvent: onEvent) }
                    return [try await verification.run(set, onEvent: onEvent)]
                }
            }
            let drill = Drill(
                configuration,
                for: kind,
                on: try into.map { try configuration.connection($0, for: .restore) },
                isAgainstSource: isAgainstSource,
                jobs: jobs
            )
            return { set, onEvent in
                guard let set else { return try await drill.runAll(onEvent: onEvent) }
                return [try await drill.run(set, onEvent: onEvent)]
            }
        }

        /// Prints the results, and finds the exit status for them.
        private func conclude(
            _ outcome: InterruptibleOutcome<[VerifiedSet]>,
            _ results: VerificationResults,
            _ display: RunDisplay
        ) throws -> ExitStatus {
            switch (outcome.result, outcome.signal) {
            case (.success(let sets), _):
                try say(sets)
                return sets.contains(where: \.hasFindings) ? .failure : .success
            case (.failure, let signal?):
                try? say(results.sets)
                display.interruptedVerification()
                return .interrupted(by: signal)
            case (.failure(let error), nil):
                try? say(results.sets)
                options.errorWriter.write(error)
                return ExitStatus(error)
            }
        }

        private func say(_ sets: [VerifiedSet]) throws {
            let lines = sets.map { $0.line.escapedForTerminal + "\n" }
            try StandardStream.standardOutput.write(lines.joined())
        }
    }
}

/// The sets that a verification has come to the end of.
private final class VerificationResults: Sendable {
    private let ended = Mutex<[VerifiedSet]>([])

    var sets: [VerifiedSet] { ended.withLock { $0 } }

    func add(_ event: VerificationEvent) {
        if case .ended(let set) = event { ended.withLock { $0.append(set) } }
    }
}

extension VerifiedSet {
    /// What became of the verification, in one line.
    var line: String {
        switch outcome {
        case .ok:
            var parts = [HumanNumber.count(files, "file"), HumanNumber.bytes(fileBytes)]
            if level != .files { parts.append(HumanNumber.count(totals.rows, "row")) }
            if unhashedFiles > 0 { parts.append("\(HumanNumber.count(unhashedFiles, "file")) without recorded hashes") }
            if isPartial { parts.append("of a partial backup") }
            if !differences.isEmpty {
                parts.append("\(HumanNumber.count(differences.count, "difference")) to the source")
            }
            return
                "\(id): ok (\(level.rawValue)): \(parts.joined(separator: ", ")) in \(HumanNumber.duration(duration))"
        case .damaged(let damages):
            let findings = HumanNumber.count(damages.count, "finding")
            return "\(id): damaged (\(level.rawValue)): \(findings) in \(HumanNumber.duration(duration))"
        case .failed(let damages):
            let findings = HumanNumber.count(damages.count, "finding")
            return "\(id): failed (\(level.rawValue)): \(findings) in \(HumanNumber.duration(duration))"
        case .superseded(let newer):
            return "\(id): not verified: the set \(newer) has replaced its files"
        case .removed:
            return "\(id): not verified: it was removed meanwhile"
        case .archived(let archived):
            return
                "\(id): not verified: \(archived) of \(HumanNumber.count(files, "file")) have to be restored from the archive"
        case .unreadable:
            return "\(id): damaged: its record cannot be used"
        @unknown default:
            return "\(id): not verified"
        }
    }
}
