import Testing

@testable import Databudgie

@Suite("Globs")
struct GlobTests {
    @Test(
        "A glob matches the texts that fnmatch would match",
        arguments: [
            ("public.*", "public.sales", true),
            ("public.*", "publicxsales", false),
            ("*", "any.thing", true),
            ("public.sale?", "public.sales", true),
            ("public.sale?", "public.sale", false),
            ("public.[sp]*", "public.products", true),
            ("public.[!sp]*", "public.products", false),
            ("public.[!sp]*", "public.customers", true),
            ("t[0-9]", "t7", true),
            ("t[0-9]", "tx", false),
            ("t[z-a]", "tb", false),
            ("t[]]", "t]", true),
            ("t[x", "t[x", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("Public.*", "public.sales", false),
            ("public.größe_*", "public.größe_x", true),
            ("", "", true),
            ("**", "", true),
        ]
    )
    func matching(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(Glob(pattern).matches(text) == expected)
    }

    @Test("A pattern with many stars takes no exponential time")
    func manyStars() {
        let pattern = Glob(String(repeating: "*a", count: 30) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2_000)))
    }

    @Test("Only unescaped special characters are wildcards", arguments: [("a.b", false), ("a*", true), ("a[", false)])
    func wildcards(_ pattern: String, _ expected: Bool) {
        #expect(Glob(pattern).hasWildcards == expected)
    }
}
