import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("Garbage")
struct RobustnessTests {
    static let pieces = [
        "tables", "backup", "url", "name", ": ", ":", "\n", "\n  ", "- ", "{", "}", "[", "]", ",", "\"", "'", "\"\"\"",
        "'''",
        "&a ", "*a", "<<: ", "|", ">", "#", "=", ".", "\\", "\\u", "D83D", "x-", "null", "true", "1", "-1e9", "é", "😀",
        "\t",
        "\r\n", "\0", "\u{FEFF}", "<% ENV[A] %>", "<%", "FILE[", "] %>", "{ref.", "{ref:", "${ref:", "{table}", "[[",
        "]]",
        "ddl", "---", "...", "!!str ", "%", "@", "connections", "query",
    ]

    @Test("Random text leads to a configuration or to an error of one line a problem", arguments: 0..<24)
    func randomText(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<60 {
            let count = Int.random(in: 1..<40, using: &generator)
            let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
            for format in [ConfigurationFormat.yaml, .json, .toml] {
                for line in ConfigurationFixture(text, format: format, environment: ["A": text]).problems {
                    #expect(!line.isEmpty && !line.contains { $0.isNewline })
                }
            }
        }
    }

    @Test("A good configuration with a few characters changed never crashes", arguments: 0..<12)
    func mutations(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) + 1000)
        for (format, text) in FormatTests.texts {
            for _ in 0..<40 {
                var characters = Array(text)
                for _ in 0..<Int.random(in: 1..<5, using: &generator) {
                    let piece = Self.pieces.randomElement(using: &generator) ?? ""
                    let position = Int.random(in: 0..<characters.count, using: &generator)
                    characters.replaceSubrange(position..<min(position + 1, characters.count), with: Array(piece))
                }
                for line in ConfigurationFixture(String(characters), format: format).problems {
                    #expect(!line.isEmpty && !line.contains { $0.isNewline })
                }
            }
        }
    }

    @Test(
        "Deep nesting is an error and not a stack overflow",
        arguments: [
            (ConfigurationFormat.yaml, "[", ""), (.json, "[", ""), (.json, "{\"a\":", ""), (.toml, "[", "a = "),
            (.yaml, "{a: ", ""), (.yaml, "- ", ""), (.toml, "{a=", "a = "), (.toml, "a.", ""), (.toml, "[a.", ""),
        ]
    )
    func nesting(format: ConfigurationFormat, piece: String, start: String) {
        let text = start + String(repeating: piece, count: 20_000)
        #expect(ConfigurationFixture(text, format: format).problems.count == 1)
    }
}
