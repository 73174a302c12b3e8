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
}
