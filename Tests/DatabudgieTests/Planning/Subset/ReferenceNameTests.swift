import Testing

@testable import Databudgie

@Suite("Names of references")
struct ReferenceNameTests {
    private func matches(_ name: String, _ names: String...) -> Bool {
        ReferenceName(name, in: "public").matches(names)
    }

    @Test("A table without a schema is in the default one, and columns may have spaces between them")
    func exact() {
        #expect(matches("users.id", "public.users.id"))
        #expect(matches("public.users.id", "public.users.id", "public.users.users_id_fkey"))
        #expect(matches("lines( a ,b )", "public.lines(a,b)"))
        #expect(matches("shop.lines(a, b)", "shop.lines(a,b)"))
        #expect(!matches("users.id", "shop.users.id"))
        #expect(!matches("lines(b, a)", "public.lines(a,b)"))
        let name = ReferenceName("shop.lines(a, b)", in: "public")
        #expect(name.table == "shop.lines" && name.columns == ["a", "b"] && name.last == "a, b" && !name.isGlob)
    }

    @Test("A glob is one over the whole name")
    func globs() {
        #expect(matches("*.tenant_id", "public.users.tenant_id"))
        #expect(matches("*.tenant_id", "crm.deals.tenant_id"))
        #expect(matches("public.users.*", "public.users.tenant_id"))
        #expect(!matches("*.tenant_id", "public.users.id"))
        #expect(ReferenceName("*.tenant_id", in: "public").isGlob)
    }

    @Test("Equal names are equal byte by byte")
    func bytes() {
        #expect(!matches("users.caf\u{E9}", "public.users.cafe\u{301}"))
    }
}
