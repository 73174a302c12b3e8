import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Path components")
struct PathComponentTests {
    @Test(
        "A label can never leave its folder, and ordinary labels stay readable",
        arguments: [
            ("public.product", "public.product"),
            ("public.größe \"x\", y", "public.größe \"x\", y"),
            ("public.a/b", "public.a%2Fb"),
            ("../../etc", "%2E.%2F..%2Fetc"),
            (".hidden", "%2Ehidden"),
            ("a\nb\u{7F}", "a%0Ab%7F"),
            ("100%", "100%25"),
        ]
    )
    func labels(_ label: String, _ expected: String) {
        #expect(PathComponent(label: label).text == expected)
        #expect(expected.removingPercentEncoding == label)
    }

    @Test(
        "A table's name can never leave its folder, ordinary names stay readable, and the parts are encoded apart",
        arguments: [
            ("public", "product", "public.product"),
            ("public", "größe \"x\", y", "public.größe \"x\", y"),
            ("public", "a/b", "public.a%2Fb"),
            ("..", "../etc", "%2E%2E.%2E%2E%2Fetc"),
            (".hidden", "x", "%2Ehidden.x"),
            ("", ".", ".%2E"),
            ("a\nb", "c\u{7F}", "a%0Ab.c%7F"),
            ("100%", "%2E", "100%25.%252E"),
            ("a.b", "c", "a%2Eb.c"),
            ("a", "b.c", "a.b%2Ec"),
        ]
    )
    func tables(_ schema: String, _ name: String, _ expected: String) {
        let table = QualifiedName(schema: schema, name: name)
        #expect(PathComponent(table).text == expected)
        #expect(PathComponent.name(expected) == table)
    }

    @Test(
        "A per cent sign without two hexadecimal digits stands for itself",
        arguments: ["%+5", "%-0", "%", "%4", "%G0"]
    )
    func notEncoded(_ text: String) {
        #expect(PathComponent.name("s.\(text)") == QualifiedName(schema: "s", name: text))
    }

    @Test("Names that differ in Unicode normalisation only are two components")
    func normalisation() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(PathComponent(label: composed) != PathComponent(label: decomposed))
        #expect(PathComponent(schema: composed) != PathComponent(schema: decomposed))
        #expect(
            PathComponent(QualifiedName(schema: "s", name: composed))
                != PathComponent(QualifiedName(schema: "s", name: decomposed))
        )
    }

    @Test("Names that differ in case only have components that differ without case, too, and each finds the other form")
    func twins() {
        let names = ["Straße", "straße", "STRASSE", "ÉA", "éa", "Éa", "a", "A", "%41", "1"]
        let tables = names.map { QualifiedName(schema: "S", name: $0) }
        let components = tables.map { PathComponent($0, hasTwin: true) }
        #expect(Set(components.map { $0.text.lowercased() }).count == names.count)
        for (table, component) in zip(tables, components) {
            #expect(PathComponent.name(component.text) == table)
            #expect(component.otherText == PathComponent(table).text)
            #expect(PathComponent(table).otherText == component.text)
        }
        #expect(components[6].text == "%53.a")
        let small = PathComponent(QualifiedName(schema: "s", name: "t"), hasTwin: true)
        #expect(small.text == "s.t")
        #expect(small.otherText == nil)
        #expect(!small.hasTwin)
    }

    @Test("Names that are too long become their beginning and a hash, which are different for different names")
    func shortened() {
        let long = ["a", "é", "日", "%2F", "x%25"].flatMap { unit in
            [90, 160, 379].map { String(repeating: unit, count: $0) }
        }
        for text in long {
            let short = PathComponent.shortened(text)
            guard text.utf8.count > 150 else {
                #expect(short == text)
                continue
            }
            #expect(short.utf8.count <= 150)
            let parts = short.split(separator: "%-")
            #expect(parts.count == 2)
            #expect(text.hasPrefix(parts[0]))
            #expect(String(parts[0]).removingPercentEncoding != nil)
            #expect(PathComponent.shortened(text + "b") != short)
            #expect(PathComponent.shortened(text) == short)
        }
    }
}
