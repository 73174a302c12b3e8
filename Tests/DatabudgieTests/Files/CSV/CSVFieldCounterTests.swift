import Testing

@testable import Databudgie

@Suite("Fields of CSV records")
struct CSVFieldCounterTests {
    @Test(
        "Records with another number of fields are found with the first of them, wherever the stream is cut",
        arguments: [
            ("", 2, 0, 0, 0), ("a,b\n1,2\n", 2, 0, 0, 0), ("a,b\n1\n1,2,3\n", 2, 2, 2, 1),
            ("\"a,b\"\"\",c\n\"1,\n2\",3\n", 2, 0, 0, 0), ("\n\n", 0, 0, 0, 0), ("\n\n", 1, 0, 0, 0),
            ("a\n1,2\n", 1, 1, 2, 2), ("a,b\r\n1,2\r\n", 2, 0, 0, 0), ("é,\n,\n,,\n", 2, 1, 3, 3),
        ]
    )
    func counting(_ text: String, _ columns: Int, _ wrong: Int, _ record: Int, _ fields: Int) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var counter = CSVFieldCounter(columns: columns)
            counter.add(Array(bytes[..<cut]))
            counter.add(Array(bytes[cut...]))
            #expect(counter.wrongRecords == wrong)
            #expect((counter.firstWrong?.record ?? 0) == record && (counter.firstWrong?.fields ?? 0) == fields)
        }
    }

    @Test("Records that end in carriage returns are examined")
    func carriageReturns() {
        var counter = CSVFieldCounter(columns: 2, endsWithCarriageReturn: true)
        counter.add(Array("a,b\r1\r".utf8))
        #expect(counter.firstWrong?.record == 2)
    }
}
