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
            var filter = CSVColumnFilter(keeping: keeps)
            let output = filter.filter(Array(bytes[..<cut])) + filter.filter(Array(bytes[cut...]))
            #expect(String(decoding: output, as: UTF8.self) == expected)
        }
    }
}
