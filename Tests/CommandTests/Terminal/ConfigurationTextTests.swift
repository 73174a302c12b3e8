import Databudgie
import Postgres
import Testing

@testable import DatabudgieCLI

@Suite("Strings as values of a configuration")
struct ConfigurationTextTests {
    private func loaded(_ text: String) throws -> String? {
        let value = ConfigurationText.quoted(text)
        let lines = ["url:", "  host: localhost", "  database: \(value)"]
        let yaml = (lines + ConfigurationText.notes(for: lines)).joined(separator: "\n") + "\n"
        return try Configuration.load(yaml: yaml).backup.run.connection?.keywords["dbname"]
    }

    @Test("Any text is read back as it was written, byte for byte")
    func roundTrip() throws {
        let pieces = [
            "<%", "<", "%", " ENV[HOME] %>", "<% ENV[HOME] %>", "<% FILE[/etc/passwd] %>", "{", "}", "{ref.", "{ref:",
            "{ref.url.host}", "ref.", "$", "x-less}", "{ref.x-less}", "\"", "\\", "'", ": ", "#", "\n", "\u{85}",
            "\u{2028}",
            "\u{FEFF}", "\u{FFFF}", "\u{202E}", "\u{E0001}", "e\u{301}", "\u{301}", "a", "%s", "{table}", "null",
        ]
        var generator = SystemRandomNumberGenerator()
        for piece in pieces where piece != "null" {
            #expect(try Array(loaded("a" + piece)?.utf8 ?? "".utf8) == Array(("a" + piece).utf8))
        }
        for _ in 0..<500 {
            let text =
                "a" + (0..<Int.random(in: 1...6)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let result = try #require(try loaded(text), "\(text.debugDescription)")
            #expect(result.utf8.elementsEqual(text.utf8), "\(text.debugDescription) became \(result.debugDescription)")
        }
    }

    @Test("Only what is needed is escaped")
    func plain() {
        #expect(ConfigurationText.quoted("a < b {table} $x") == "\"a < b {table} $x\"")
        #expect(ConfigurationText.notes(for: ["a: \"b\""]).isEmpty)
        #expect(ConfigurationText.quoted("<%") == "\"{ref.x-less}%\"")
    }
}
