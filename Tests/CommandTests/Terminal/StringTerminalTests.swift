import Testing

@testable import DatabudgieCLI

@Suite("Text on a terminal")
struct StringTerminalTests {
    @Test(
        "Control characters are shown instead of sent",
        arguments: [
            ("public.sales", "public.sales"),
            ("a\u{1B}[31mb", "a\\u{1B}[31mb"),
            ("a\nb\r\n\tc", "a\\nb\\r\\n\\tc"),
            ("bell\u{07} delete\u{7F} csi\u{9B}2J", "bell\\u{7} delete\\u{7F} csi\\u{9B}2J"),
            ("abc\u{202E}cba", "abc\\u{202E}cba"),
            ("line\u{2028}end", "line\\u{2028}end"),
            ("Größe 大きさ 🐦", "Größe 大きさ 🐦"),
        ]
    )
    func escapes(text: String, expected: String) {
        #expect(text.escapedForTerminal == expected)
    }

    @Test(
        "Columns are counted, not characters",
        arguments: [("abc", 3), ("", 0), ("é", 1), ("e\u{301}", 1), ("大きさ", 6), ("🐦", 2), ("a🐦b", 4)]
    )
    func width(text: String, columns: Int) {
        #expect(text.terminalWidth == columns)
    }

    @Test("The beginning and the end of a name that is too long are kept")
    func truncation() {
        #expect("public.a_very_long_table_name".truncatedInMiddle(to: 15) == "public.…le_name")
        #expect("public.sales".truncatedInMiddle(to: 12) == "public.sales")
        #expect("大きさ大きさ".truncatedInMiddle(to: 7).terminalWidth <= 7)
        #expect("abc".truncatedInMiddle(to: 1) == "…")
        #expect("abc".truncatedInMiddle(to: 0).isEmpty)
    }

    @Test("Text is padded by columns")
    func padding() {
        #expect("大".paddedRight(to: 4) == "大  ")
        #expect("12".paddedLeft(to: 4) == "  12")
        #expect("12345".paddedLeft(to: 4) == "12345")
    }
}
