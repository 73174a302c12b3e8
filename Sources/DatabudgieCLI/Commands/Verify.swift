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
                'rows' also compares the header, and the number of fields of every record. The result is stored beside \
                the record, and shown by 'databudgie list'. The exit code is 1 if anything is found.
                """
        )

        @OptionGroup var options: SharedOptions
        @OptionGroup var place: CatalogOptions

        @Argument(
            help: ArgumentHelp(
                "'latest', the newest complete set (the default); an id; or its beginning.",
                valueName: "set"
            )
        )
        var set: String?

        @Flag(name: .customLong("all"), help: "Verify all sets.")
        var isForAll = false

        @Option(help: ArgumentHelp("How thoroughly: files, hashes or rows.", valueName: "level"))
        var level: Level = .hashes

        @Option(help: ArgumentHelp("Read this many files at once.", valueName: "number"))
        var jobs: Int?

        /// The values of `--level`.
        enum Level: String, ExpressibleByArgument, CaseIterable {
            case files, hashes, rows

            /// The same for the library.
            var level: SetVerification.Level {
                switch self {
                case .files: .files
                case .hashes: .hashes
                case .rows: .rows
                }
            }
        }

        func validate() throws {
            if isForAll, set != nil { throw ValidationError("--all and the id of a set exclude each other") }
            if let jobs, !(1...64).contains(jobs) { throw ValidationError("--jobs is a number from 1 to 64") }
        }

        func execute() async throws -> ExitStatus {
            let (configuration, kind) = try place.load(options)
            let display = RunDisplay(options: options, logging: configuration.logging)
            let verification = Verification(
                configuration,
                for: kind,
                level: level.level,
                jobs: jobs ?? Verification.standardJobs
            )
            let results = VerificationResults()
            let (set, isForAll) = (set, isForAll)
            let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
                try await display.whileDrawing {
                    let onEvent: @Sendable (VerificationEvent) -> Void = { event in
                        results.add(event)
                        display.handle(event)
                    }
                    guard !isForAll else { return try await verification.runAll(onEvent: onEvent) }
                    return [try await verification.run(set ?? "latest", onEvent: onEvent)]
                }
            }
            display.close()
            return try conclude(outcome, results, display)
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
            return
                "\(id): ok (\(level.rawValue)): \(parts.joined(separator: ", ")) in \(HumanNumber.duration(duration))"
        case .damaged(let damages):
            let findings = HumanNumber.count(damages.count, "finding")
            return "\(id): damaged (\(level.rawValue)): \(findings) in \(HumanNumber.duration(duration))"
        case .superseded(let newer):
            return "\(id): not verified: the set \(newer) has replaced its files"
        case .removed:
            return "\(id): not verified: it was removed meanwhile"
        case .unreadable:
            return "\(id): damaged: its record cannot be used"
        @unknown default:
            return "\(id): not verified"
        }
    }
}
