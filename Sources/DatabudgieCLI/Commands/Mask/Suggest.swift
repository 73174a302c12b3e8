import ArgumentParser
import Databudgie

extension DatabudgieCommand.Mask {
    /// `databudgie mask suggest`.
    struct Suggest: MaskCommand {
        static let configuration = CommandConfiguration(
            commandName: "suggest",
            abstract: "Print rules for all columns that have none.",
            discussion: """
                The rules are YAML for the configuration file, proposed by names, types and comments of columns. Columns \
                that a foreign key relates need one rule. Look at each: a proposal is a guess.
                """
        )

        @OptionGroup var options: SharedOptions

        @Flag(name: .long, help: "Let the server count what up to 1,000 values a column look like, too.")
        var data = false

        @Flag(name: .long, help: "Print the result as JSON.")
        var json = false

        var question: @Sendable (Configuration) async throws -> [SuggestedMask] {
            { [data] configuration in try await MaskSuggestions(configuration).run(readsData: data) }
        }

        func show(_ suggestions: [SuggestedMask], _ display: RunDisplay) throws -> ExitStatus {
            if json {
                try write(json: suggestions.map { Document(column: $0.column, mask: $0.mask, reason: $0.reason) })
            } else {
                try write(Self.lines(suggestions))
            }
            return .success
        }

        /// YAML for `masking`.
        static func lines(_ suggestions: [SuggestedMask]) -> [String] {
            guard !suggestions.isEmpty else { return ["# every column has a rule"] }
            let masked = suggestions.filter { $0.mask != "keep" }
            let kept = suggestions.filter { $0.mask == "keep" }
            var lines = ["masking:"]
            if !masked.isEmpty {
                lines.append("  columns:")
                lines += masked.map { "    \(YAMLText.quoted($0.column)): \($0.mask)  # by its \($0.reason)" }
            }
            if !kept.isEmpty { lines += ["  keep:"] + kept.map { "    - \(ConfigurationText.quoted($0.column))" } }
            return lines + ConfigurationText.notes(for: lines)
        }

        private struct Document: Encodable {
            let column: String
            let mask: String
            let reason: String
        }
    }
}
