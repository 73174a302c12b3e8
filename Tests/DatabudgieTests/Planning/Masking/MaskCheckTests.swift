import Testing

@testable import Databudgie

@Suite("Checks of masks")
struct MaskCheckTests {
    private typealias F = MaskFixture

    /// One table `t` with these columns, found under these rules.
    private func findings(
        _ columns: [ColumnFacts],
        _ rules: [(String, Mask)],
        keep: [String] = [],
        indexes: [UniqueIndex] = [],
        policy: MaskingConfiguration.Policy = .strict
    ) -> [String] {
        let catalog = ColumnCatalog(columns: [1: columns], uniqueIndexes: indexes)
        return F.findings([Fixture.relation(1, "t")], catalog, rules, keep: keep, policy: policy).map(\.summary)
    }

    @Test("A column without a rule is a problem under strict, and a warning under open")
    func unclassified() {
        let columns = [F.column(1, "a"), F.column(2, "b"), F.column(3, "raw", F.type("jsonb"))]
        #expect(
            findings(columns, [("public.t.a", Mask(.hash))]) == [
                "t.b unclassified", "t.raw unclassified",
            ]
        )
        #expect(
            findings(columns, [("public.t.a", Mask(.hash))], policy: .open) == [
                "t.b unclassified (warning)", "t.raw may_hold_copies (warning)",
            ]
        )
        #expect(findings(columns, [], keep: ["*"]) == [])
    }

    @Test("An exact name beats globs, and two globs with different masks are ambiguous")
    func precedence() {
        let columns = [F.column(1, "email"), F.column(2, "email_2")]
        #expect(
            findings(columns, [("*.email*", Mask(.email)), ("public.t.*", Mask(.hash))]) == [
                "t.email ambiguous", "t.email_2 ambiguous",
            ]
        )
        let exact = [("*.email*", Mask(.email)), ("public.t.*", Mask(.hash)), ("public.t.email", Mask(.hash))]
        #expect(findings(columns, exact) == ["t.email_2 ambiguous"])
        #expect(findings(columns, [("*.email*", Mask(.email)), ("public.t.*", Mask(.email))]) == [])
        #expect(findings(columns, [("*.email*", Mask(.email))], keep: ["public.*"]).count == 2)
    }

    @Test("A rule that matches nothing is a problem under strict; one that an exact name beats has matched")
    func unused() {
        let columns = [F.column(1, "a")]
        let rules = [("public.t.a", Mask(.hash)), ("*.a", Mask(.email)), ("public.t.x", Mask(.hash))]
        #expect(findings(columns, rules) == [" unmatched_rule"])
        #expect(findings(columns, rules, policy: .open) == [" unmatched_rule (warning)"])
    }

    @Test("A unique index takes only masks that keep different values different, wherever the column is in it")
    func uniqueness() {
        let columns = [F.column(1, "id", F.type("int4"), isNotNull: true), F.column(2, "a"), F.column(3, "b")]
        let indexes = [F.index(1, [1], isPrimary: true), F.index(1, [2, 3], name: "ab")]
        func check(_ mask: Mask, _ more: [UniqueIndex] = []) -> [String] {
            findings(columns, [("public.t.a", mask)], keep: ["*.id", "*.b"], indexes: indexes + more)
        }
        #expect(check(Mask(.name(.fullName))) == ["t.a not_unique"])
        #expect(check(Mask(.scramble)) == ["t.a not_unique"])
        #expect(check(Mask(.hash)) == [] && check(Mask(.email)) == [] && check(Mask(.null)) == [])
        #expect(check(Mask(.sql("x", isUnique: false))) == ["t.a not_unique"])
        #expect(check(Mask(.sql("x", isUnique: true))) == [])
        // The primary key is unique by itself; b is not.
        #expect(check(Mask(.email, by: "id")) == [] && check(Mask(.email, by: "b")) == ["t.a not_unique"])
        #expect(check(Mask(.null), [F.index(1, [2], nullsAreEqual: true)]) == ["t.a not_unique"])
    }

    @Test("A short column has no room for an e-mail address that is unique")
    func shortAddress() {
        let columns = [F.column(1, "a", F.type("varchar", modifier: 27))]
        let rules = [("public.t.a", Mask(.email))]
        #expect(findings(columns, rules) == [])
        #expect(findings(columns, rules, indexes: [F.index(1, [1])]) == ["t.a not_unique"])
        #expect(findings([F.column(1, "a", F.type("varchar", modifier: 24))], rules) == ["t.a too_long"])
    }

    @Test("NULL, texts without room, other types and columns of sequences, identities and partition keys are refused")
    func misfits() {
        let columns = [
            F.column(1, "a", isNotNull: true), F.column(2, "b", F.type("varchar", modifier: 24)),
            F.column(3, "c", F.type("int4")), F.column(4, "d", F.type("int8"), isIdentity: true),
            F.column(5, "e", F.type("int8"), ownsSequence: true), F.column(6, "f", isPartitionKey: true),
            F.column(7, "g", F.type("date")),
        ]
        let rules: [(String, Mask)] = [
            ("public.t.a", Mask(.null)), ("public.t.b", Mask(.hash)), ("public.t.c", Mask(.hash)),
            ("public.t.d", Mask(.hash)), ("public.t.e", Mask(.hash)), ("public.t.f", Mask(.hash)),
            ("public.t.g", Mask(.email, by: "nothing")),
        ]
        #expect(
            findings(columns, rules) == [
                "t.a not_null", "t.b too_long", "t.c wrong_type", "t.d protected_column", "t.e protected_column",
                "t.f protected_column", "t.g wrong_type",
            ]
        )
        #expect(findings([F.column(1, "a")], [("public.t.a", Mask(.hash, by: "x"))]) == ["t.a unmatched_rule"])
    }

    @Test("Generated columns need no rule")
    func generated() {
        #expect(findings([F.column(1, "a", isGenerated: true)], []) == [])
    }

    @Test("A column that a glob keeps is suspicious when its name is personal; its exact name says that it is meant")
    func suspicion() {
        let columns = [F.column(1, "phone"), F.column(2, "name"), F.column(3, "state")]
        #expect(findings(columns, [], keep: ["public.t.*"]) == ["t.phone suspicious_keep (warning)"])
        #expect(findings(columns, [], keep: ["public.t.phone", "*.name", "*.state"]) == [])
    }

    // MARK: - Foreign keys

    private let users = [
        F.column(1, "id", F.type("uuid"), isNotNull: true), F.column(2, "email", F.type("varchar", modifier: 44)),
    ]
    private let orders = [F.column(1, "user_id", F.type("uuid")), F.column(2, "user_email"), F.column(3, "note")]

    private func related(_ rules: [(String, Mask)], keep: [String] = []) -> [MaskFinding] {
        let catalog = ColumnCatalog(
            columns: [1: users, 2: orders],
            uniqueIndexes: [F.index(1, [1], isPrimary: true), F.index(1, [2])],
            links: [F.link((2, 1), (1, 1)), F.link((2, 2), (1, 2))]
        )
        return F.findings([Fixture.relation(1, "users"), Fixture.relation(2, "orders")], catalog, rules, keep: keep)
    }

    @Test("A mask of one column of a foreign key holds for all of them")
    func inheritance() {
        #expect(
            related([("public.users.*", Mask(.hash)), ("*.note", Mask(.filler))]).map(\.summary) == []
        )
        let wrong = related([
            ("public.orders.user_id", Mask(.email)), ("*email", Mask(.email)), ("*.note", Mask(.null)),
        ])
        #expect(wrong.map(\.summary) == ["users.id wrong_type", "orders.user_id wrong_type"])
        #expect(wrong[0].message.hasSuffix("; the mask is inherited from public.orders.user_id"))
    }

    @Test("Different masks on one foreign key are a conflict, unless one of them is by an exact name")
    func conflicts() {
        let rules = [("public.users.*", Mask(.hash)), ("public.orders.*", Mask(.email))]
        #expect(related(rules).map(\.summary) == ["users.id conflict", "users.email conflict"])
        let exact = [("public.users.id", Mask(.hash)), ("public.users.email", Mask(.email)), ("*.note", Mask(.filler))]
        #expect(related(exact, keep: ["public.orders.user_*"]).map(\.summary) == [])
        #expect(
            related(
                [("public.users.id", Mask(.hash)), ("*.note", Mask(.filler)), ("*email", Mask(.email))],
                keep: [
                    "public.orders.user_id"
                ]
            ).map(\.summary) == ["users.id conflict"]
        )
    }

    @Test("What keeps one column of a foreign key keeps no other, and is no exception from a mask of it")
    func keeping() {
        let masks = [("*email", Mask(.email)), ("*.note", Mask(.filler))]
        #expect(related(masks, keep: ["*_id"]).map(\.summary) == ["users.id unclassified"])
        #expect(related(masks, keep: ["public.orders.user_id"]).map(\.summary) == ["users.id unclassified"])
        #expect(related(masks, keep: ["*.id", "*_id"]).map(\.summary) == [])
        let hash = [("*.id", Mask(.hash))] + masks
        #expect(related(hash, keep: ["public.orders.user_id"]).map(\.summary) == ["users.id conflict"])
    }

    @Test("A mask of a foreign key cannot depend on other columns of its row")
    func dependence() {
        let rules = [("*email", Mask(.email, by: "id")), ("public.users.id", Mask(.hash)), ("*.note", Mask(.filler))]
        #expect(
            related(rules).map(\.summary) == [
                "users.email conflict", "orders.user_email unmatched_rule", "orders.user_email conflict",
            ]
        )
    }

    @Test("Partitions have the masks of their root, and an index of one of them counts")
    func partitions() {
        let root = Fixture.relation(1, "t", kind: .partitionedTable, children: [2])
        let leaf = Fixture.relation(2, "t_1", isPartition: true, parents: [1])
        let columns = [F.column(1, "id", F.type("int8"), isPartitionKey: true), F.column(2, "a")]
        let catalog = ColumnCatalog(
            columns: [1: columns, 2: columns.map { F.column($0.number, $0.name, $0.type) }],
            uniqueIndexes: [F.index(2, [2], name: "leaf")],
            links: [F.link((2, 1), (1, 1), key: nil), F.link((2, 2), (1, 2), key: nil)]
        )
        let findings = F.findings([root, leaf], catalog, [("public.t.a", Mask(.digits))], keep: ["public.t.id"])
        #expect(findings.map(\.summary) == ["t.a not_unique", "t_1.a not_unique"])
        let fine = F.findings([root, leaf], catalog, [("public.t.a", Mask(.hash, by: "id"))], keep: ["public.t.id"])
        #expect(fine.map(\.summary) == ["t.a not_unique", "t_1.a not_unique"])
        #expect(F.findings([root, leaf], catalog, [("public.t.a", Mask(.hash))], keep: ["public.t.id"]).isEmpty)
    }
}
