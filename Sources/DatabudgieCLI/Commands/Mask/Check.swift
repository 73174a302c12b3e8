import ArgumentParser
import Databudgie

extension DatabudgieCommand.Mask {
    /// `databudgie mask check`.
    struct Check: MaskCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check the masks of a backup against its tables.",
            discussion: """
                Every column that a backup exports is checked: whether a rule masks or keeps it, and whether its mask fits \
                its type, its unique indexes, its foreign keys and NOT NULL. Only the catalog is read, so an empty database \
                with the same schema will do, for example in continuous integration. The exit code is 1 when a backup \
                would be refused.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(name: .long, help: "Let the server check masked values of up to 10,000 rows a table, too.")
        var data = false

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        var question: @Sendable (Configuration) async throws -> MaskReport {
            { [data] configuration in try await MaskCheck(configuration).run(readsData: data) }
        }

        func show(_ report: MaskReport, _ display: RunDisplay) throws -> ExitStatus {
            display.warn(report.warnings)
            if json { try write(json: Document(report)) } else { try write(Self.lines(report)) }
            return report.isAccepted ? .success : .failure
        }

        /// One line a finding, and the sum.
        static func lines(_ report: MaskReport) -> [String] {
            let problems = report.findings.count(where: \.isProblem)
            let warnings = report.findings.count - problems
            let open = report.columns - report.masked - report.kept
            let sum =
                "\(HumanNumber.count(report.tables, "table")), \(HumanNumber.count(report.columns, "column")): "
                + "\(HumanNumber.count(report.masked)) masked, \(HumanNumber.count(report.kept)) kept, "
                + "\(HumanNumber.count(open)) without a rule"
            var parts = [sum]
            if problems > 0 { parts.append(HumanNumber.count(problems, "problem")) }
            if warnings > 0 { parts.append(HumanNumber.count(warnings, "warning")) }
            let lines = report.findings.map { ($0.isProblem ? "" : "warning: ") + $0.sentence.escapedForTerminal }
            return lines + [parts.joined(separator: "; ") + "."]
        }

        private struct Document: Encodable {
            struct Finding: Encodable {
                let code: String
                let column: String?
                let message: String
                let suggestion: String?
                let place: String?
                let severity: String
            }

            let accepted: Bool
            let tables: Int
            let columns: Int
            let masked: Int
            let kept: Int
            let findings: [Finding]

            init(_ report: MaskReport) {
                accepted = report.isAccepted
                (tables, columns, masked, kept) = (report.tables, report.columns, report.masked, report.kept)
                findings = report.findings.map { finding in
                    Finding(
                        code: finding.code.rawValue,
                        column: finding.column,
                        message: finding.message,
                        suggestion: finding.suggestion,
                        place: finding.place,
                        severity: finding.isProblem ? "problem" : "warning"
                    )
                }
            }
        }
    }
}
