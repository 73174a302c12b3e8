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

                With --groups the server counts how many rows are alike in the columns of a table, as they would be exported: \
                small groups are recognized, whatever is masked beside them.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(name: .long, help: "Let the server check masked values of up to 10,000 rows a table, too.")
        var data = false

        @Option(
            name: .long,
            help: ArgumentHelp(
                "Count rows that are alike in these columns; may be repeated.",
                valueName: "table(column,…)"
            )
        )
        var groups: [String] = []

        @Option(name: .long, help: ArgumentHelp("Refuse groups of fewer rows (default: 5).", valueName: "number"))
        var atLeast: Int?

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        func validate() throws {
            for group in groups where MaskGroup(group) == nil {
                throw ValidationError("--groups: '\(group)' is not a table with columns in parentheses")
            }
            if let atLeast, atLeast < 2 { throw ValidationError("--at-least must be 2 or more") }
            if atLeast != nil, groups.isEmpty { throw ValidationError("--at-least needs --groups") }
        }

        var question: @Sendable (Configuration) async throws -> MaskReport {
            {
                [data, groups = groups.compactMap(MaskGroup.init), least = atLeast ?? MaskCheck.leastGroup]
                configuration in
                try await MaskCheck(configuration).run(readsData: data, groups: groups, atLeast: least)
            }
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
            return lines + report.groups.map(line) + [parts.joined(separator: "; ") + "."]
        }

        private static func line(_ count: MaskGroupCount) -> String {
            let (rows, groups) = (HumanNumber.count(count.rows, "row"), HumanNumber.count(count.groups, "group"))
            let smallest = HumanNumber.count(count.smallest, "row")
            return "\(count.group): \(rows) in \(groups), the smallest of \(smallest)".escapedForTerminal
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

            struct Group: Encodable {
                let table: String
                let columns: [String]
                let atLeast: Int
                let rows: Int
                let groups: Int
                let smallest: Int
                let smallGroups: Int
                let rowsInSmallGroups: Int

                init(_ count: MaskGroupCount) {
                    (table, columns, atLeast) = (count.group.table, count.group.columns, count.least)
                    (rows, groups, smallest) = (count.rows, count.groups, count.smallest)
                    (smallGroups, rowsInSmallGroups) = (count.smallGroups, count.rowsInSmallGroups)
                }
            }

            let accepted: Bool
            let tables: Int
            let columns: Int
            let masked: Int
            let kept: Int
            let findings: [Finding]
            let groups: [Group]

            init(_ report: MaskReport) {
                accepted = report.isAccepted
                (tables, columns, masked, kept) = (report.tables, report.columns, report.masked, report.kept)
                groups = report.groups.map(Group.init)
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
