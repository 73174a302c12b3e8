import Testing

@testable import Databudgie

@Suite("CSV")
struct CSVTests {
    private func header(_ text: String, isComplete: Bool = true) -> [String]? {
        CSVHeader.parse(Array(text.utf8), isComplete: isComplete)?.columns
    }

    @Test(
        "A header is read as Postgres reads it",
        arguments: [
            ("a,b\n1,2\n", ["a", "b"]),
            ("\"a,b\",\"c\"\"d\",\"e\nf\"\nx", ["a,b", "c\"d", "e\nf"]),
            ("a\r\n1", ["a"]),
            ("a\r1", ["a"]),
            ("a", ["a"]),
            ("\u{FEFF}a,b\n", ["a", "b"]),
            ("a,\n", ["a", ""]),
            ("x\"y,z\"w\n", ["xy,zw"]),
            ("\n\n", []),
            ("größe,日本\n", ["größe", "日本"]),
        ]
    )
    func headers(_ text: String, _ expected: [String]) {
        #expect(header(text) == expected)
    }

    @Test("A header that goes on is not read yet", arguments: ["a,b", "\"a\nb", "\"a\"", "a\r"])
    func incomplete(_ text: String) {
        #expect(header(text, isComplete: false) == nil)
    }

    @Test(
        "Records are counted wherever the stream is cut",
        arguments: [
            ("", 0), ("a\n", 1), ("a\nb", 2), ("\"a\nb\"\nc\n", 2), ("\"a\"\"\n\"\n", 1), ("\n\n", 2),
            ("a\n\"x\ny", 2), ("a\r\nb\r\n", 2),
        ]
    )
    func counting(_ text: String, _ expected: Int) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var counter = CSVRecordCounter(endsWithCarriageReturn: false)
            counter.add(Array(bytes[..<cut]))
            counter.add(Array(bytes[cut...]))
            #expect(counter.count == expected)
        }
    }

    @Test("Records that end in carriage returns are counted")
    func carriageReturns() {
        var counter = CSVRecordCounter(endsWithCarriageReturn: true)
        counter.add(Array("a\rb\rc".utf8))
        #expect(counter.count == 3)
    }

    @Test(
        "A record that is only an unquoted \\. is found with its number, wherever the stream is cut",
        arguments: [
            ("a\n\\.\n", 2), ("\\.\n", 1), ("a\n\"\n\\.\n\"\n\\.\nx", 3), ("a\r\n\\.\r\n", 2), ("a\n\\.", nil),
            ("a\n\\.x\n", nil), ("a\nx\\.\n", nil), ("a\n\\\\.\n", nil), ("a\n\"\n\\.\n\"\n", nil),
            ("a\n\"\\.\"\n", nil), ("a\n\\.,\n", nil), ("a\n\\.\"\"\n", nil), ("a\n.\\\n\\\n.\n\\.\n", 5),
        ] as [(String, Int?)]
    )
    func endMarker(_ text: String, _ expected: Int?) {
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var counter = CSVRecordCounter(endsWithCarriageReturn: false)
                counter.add(Array(bytes[..<first]))
                counter.add(Array(bytes[first..<second]))
                counter.add(Array(bytes[second...]))
                #expect(counter.endMarkerRecord == expected, "\(first), \(second)")
            }
        }
    }

    @Test("A value that is alone after its neighbours were skipped is quoted if it is \\.")
    func filteredEndMarker() {
        for (lineEnd, hasCarriageReturn) in [("\n", false), ("\r\n", false), ("\r", true)] {
            let lines = ["a,b", "\\.,1", "\\.x,2", "\\,3", ",4", "\"\\.\",5", "\\.\"\",6", "x\\.,7"]
            let bytes = Array(lines.map { $0 + lineEnd }.joined().utf8)
            let kept = ["a", "\"\\.\"", "\\.x", "\\", "", "\"\\.\"", "\\.\"\"", "x\\."]
            // The carriage return before a line feed belongs to the last column, which is skipped.
            let expected = kept.map { $0 + (lineEnd == "\r\n" ? "\n" : lineEnd) }.joined()
            for cut in 0...bytes.count {
                var filter = CSVColumnFilter(keeping: [true, false], endsWithCarriageReturn: hasCarriageReturn)
                let output = filter.filter(Array(bytes[..<cut])) + filter.filter(Array(bytes[cut...]))
                #expect(Array(output) == Array(expected.utf8), "\(cut)")
            }
        }
        var filter = CSVColumnFilter(keeping: [false, true], endsWithCarriageReturn: false)
        let output = filter.filter(Array("a,b\r\n1,\\.\r\n,x\r\n".utf8))
        #expect(String(decoding: output, as: UTF8.self) == "b\r\n\"\\.\"\r\nx\r\n")
        var both = CSVColumnFilter(keeping: [true, false, true], endsWithCarriageReturn: false)
        let records = both.filter(Array("a,b,c\n\\.,1,\\.\n\\.,2,\n".utf8))
        #expect(String(decoding: records, as: UTF8.self) == "a,c\n\\.,\\.\n\\.,\n")
    }

    @Test("A mark at the beginning is part of the first name only if the table has such a column")
    func byteOrderMark() throws {
        let header = try #require(CSVHeader.parse(Array("\u{FEFF}id,b\n".utf8), isComplete: true))
        #expect(header.columns == ["id", "b"])
        #expect(header.matching(["id", "b"]).columns == ["id", "b"])
        #expect(
            header.matching(["id", "\u{FEFF}id"]).columns.map { Array($0.utf8) }
                == ["\u{FEFF}id", "b"].map { Array($0.utf8) }
        )
        let twice = try #require(CSVHeader.parse(Array("\u{FEFF}\u{FEFF}id\n".utf8), isComplete: true))
        #expect(twice.matching(["\u{FEFF}id"]).columns.map { Array($0.utf8) } == [Array("\u{FEFF}id".utf8)])
    }

    @Test(
        "Columns are skipped, and the others pass byte for byte",
        arguments: [
            ([false, true, true], "b,c\n2,\"3,\"\"x\ny\"\n5,\n"),
            ([true, false, true], "a,c\n1,\"3,\"\"x\ny\"\n\"4\",\n"),
            ([true, true, false], "a,b\n1,2\n\"4\",5\n"),
            ([false, false, true], "c\n\"3,\"\"x\ny\"\n\n"),
        ]
    )
    func filtering(_ keeps: [Bool], _ expected: String) {
        let bytes = Array("a,b,c\n1,2,\"3,\"\"x\ny\"\n\"4\",5,\n".utf8)
        for cut in 0...bytes.count {
            var filter = CSVColumnFilter(keeping: keeps, endsWithCarriageReturn: false)
            let output = filter.filter(Array(bytes[..<cut])) + filter.filter(Array(bytes[cut...]))
            #expect(String(decoding: output, as: UTF8.self) == expected)
        }
    }
}
