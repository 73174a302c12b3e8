import Foundation
import Testing

@testable import Databudgie

@Suite("Path components")
struct PathComponentTests {
    @Test(
        "A name can never leave its folder, and ordinary names stay readable",
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
    func encoding(_ name: String, _ expected: String) {
        #expect(PathComponent.encode(name) == expected)
        #expect(expected.removingPercentEncoding == name)
    }
}
