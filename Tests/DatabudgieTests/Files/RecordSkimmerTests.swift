import Foundation
import Testing

@testable import Databudgie

@Suite("Skimming a set record")
struct RecordSkimmerTests {
    private func skim(_ text: String, _ wanted: Set<String>, chunk: Int = .max) -> String? {
        var skimmer = RecordSkimmer(wanted)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard skimmer.read(Array(rest.prefix(chunk))) else { return nil }
            rest = rest.dropFirst(chunk)
        }
        return skimmer.object.map { String(decoding: $0, as: UTF8.self) }
    }

    private let text = #"""
        {"a" : 1, "tables": [{"a": 2, "b": "}]\"{", "c": [[], {}]}], "b\\": "x", "b": {"a" : [1, "y ,:}"], "é": null},
        "c" : "\\", "": true , "a b": -1.5e3}
        """#

    @Test(
        "Members of the object itself are kept, and nothing inside other ones is taken for them",
        arguments: [1, 7, .max]
    )
    func members(chunk: Int) throws {
        #expect(skim(text, ["a", "b"], chunk: chunk) == #"{"a": 1,"b": {"a" : [1, "y ,:}"], "é": null}}"#)
        #expect(skim(text, ["c", "", "a b"], chunk: chunk) == #"{"c": "\\","": true ,"a b": -1.5e3}"#)
        #expect(skim(text, ["missing"], chunk: chunk) == "{}")
        let everything: Set = ["a", "tables", #"b\\"#, "b", "c", "", "a b"]
        let whole = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
        let skimmed = try JSONSerialization.jsonObject(with: Data(try #require(skim(text, everything)).utf8))
        #expect(skimmed as? NSDictionary == whole)
    }

    @Test("A text that breaks off, or continues, is not an object")
    func cut() {
        for length in 0..<text.utf8.count {
            #expect(skim(String(decoding: text.utf8.prefix(length), as: UTF8.self), ["a"]) == nil, "\(length)")
        }
        #expect(skim(text + "\n ", ["a"]) != nil)
        for rest in ["{}", "x", "]", "1", "\"\""] { #expect(skim(text + rest, ["a"]) == nil, "\(rest)") }
    }

    @Test(
        "What is no object is refused",
        arguments: ["[1]", "1", "\"{}\"", "", "{]", "[{]}", "{\"a\": [}]}", "\u{FEFF}{}"]
    )
    func noObject(text: String) {
        #expect(skim(text, ["a"]) == nil)
    }
}
