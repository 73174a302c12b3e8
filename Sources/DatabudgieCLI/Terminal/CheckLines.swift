import Databudgie
import Synchronization

/// What `check` prints: a line for each finding, below the name of its command.
final class CheckLines: Sendable {
    /// The command that the last line was about.
    private let command = Mutex<RunKind?>(nil)

    /// A finding's line, after one with its command's name if that is another one than before.
    func text(_ finding: CheckFinding) -> String {
        let isFirst = command.withLock { last in
            defer { last = finding.command }
            return last != finding.command
        }
        let line =
            "  " + finding.outcome.rawValue.paddedRight(to: 8) + " " + finding.subject.rawValue.paddedRight(to: 11)
            + " "
            + finding.sentence.escapedForTerminal + "\n"
        return (isFirst ? finding.command.rawValue + "\n" : "") + line
    }

    /// The last line: how much was found.
    ///
    /// - Parameters:
    ///   - findings: All lines.
    ///   - mistakes: How many warnings of the configuration were printed before them.
    /// - Returns: A sentence, in which all is well only without any of both.
    static func summary(_ findings: [CheckFinding], afterWarnings mistakes: Int = 0) -> String {
        var counts = [("problem", CheckFinding.Outcome.problem), ("warning", .warning), ("skipped", .skipped)]
            .compactMap { noun, outcome -> String? in
                let count = findings.count { $0.outcome == outcome }
                guard count > 0 else { return nil }
                return outcome == .skipped ? "\(HumanNumber.count(count)) \(noun)" : HumanNumber.count(count, noun)
            }
        if mistakes > 0 { counts.append(HumanNumber.count(mistakes, "warning") + " about the configuration") }
        return HumanNumber.count(findings.count, "check") + ": "
            + (counts.isEmpty ? "all is well" : counts.joined(separator: ", ")) + "."
    }
}

/// The findings of a check as a JSON object, for `check --json`.
///
/// Keys are snake_case and stay as they are from version to version; new ones may be added.
enum CheckJSON {
    private struct Document: Encodable {
        struct Item: Encodable {
            var command: String
            var subject: String
            var outcome: String
            var name: String?
            var message: String
            var hint: String?
        }

        var accepted: Bool
        var problems: Int
        var warnings: Int
        var findings: [Item]
    }

    /// The object, on several lines.
    static func text(_ findings: [CheckFinding]) throws -> String {
        let document = Document(
            accepted: findings.isWithoutProblems,
            problems: findings.count { $0.outcome == .problem },
            warnings: findings.count { $0.outcome == .warning },
            findings: findings.map { finding in
                Document.Item(
                    command: finding.command.rawValue,
                    subject: finding.subject.rawValue,
                    outcome: finding.outcome.rawValue,
                    name: finding.name,
                    message: finding.message,
                    hint: finding.hint
                )
            }
        )
        return try JSONDocument.text(document)
    }
}
