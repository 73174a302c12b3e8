import Testing

@testable import Databudgie

@Suite("Configurations of subsets")
struct SubsetConfigurationTests {
    private let whole = """
        tables: [public.*]
        subset:
          start:
            public.customers: id in (4, 17)
            public.orders: {where: status = 'open', order_by: placed_at desc, limit: 1_00}
            public.users: [{sample: 1%}, id = 7]
            public.flags: true
            public.empty: {allow_empty: true}
          children: yes
          whole: [public.countries, "config.*"]
          unconnected: none
          max_rows: 5000000
          references:
            public.employees.reports_to: parents
            public.orders.customer_id: {limit: 50, order_by: placed_at desc, where: total > 0, sample: 50%}
            public.order_lines(order_id, line_no): {follow: through}
            "*.tenant_id": {to: public.tenants.id}
            public.comments.commentable_id:
              - {to: public.posts.id, when: commentable_type = 'Post'}
              - {to: public.photos.id, when: commentable_type = 'Photo', follow: ignore}
            public.events.user: {expression: (payload->>'user_id')::bigint, to: public.users.id, follow: parents}
            public.posts.tag_ids: {elements: true, to: public.tags.id}
          tenants: public.accounts
          crossing: cut
        """

    private let settings = SubsetSettings(
        start: [
            SubsetStart("public.customers", where: "id in (4, 17)"),
            SubsetStart("public.orders", where: "status = 'open'", order: "placed_at desc", limit: 100),
            SubsetStart("public.users", sample: SubsetSample("1%")), SubsetStart("public.users", where: "id = 7"),
            SubsetStart("public.flags", where: "true"), SubsetStart("public.empty", allowsNone: true),
        ],
        whole: ["public.countries", "config.*"],
        unconnected: .empty,
        maximumRows: 5_000_000,
        references: [
            SubsetReference("public.employees.reports_to", follow: .parents),
            SubsetReference(
                "public.orders.customer_id",
                children: "total > 0",
                limit: 50,
                order: "placed_at desc",
                sample: SubsetSample("50%")
            ),
            SubsetReference("public.order_lines(order_id, line_no)", follow: .through),
            SubsetReference("*.tenant_id", to: "public.tenants.id"),
            SubsetReference("public.comments.commentable_id", to: "public.posts.id", when: "commentable_type = 'Post'"),
            SubsetReference(
                "public.comments.commentable_id",
                follow: .ignore,
                to: "public.photos.id",
                when: "commentable_type = 'Photo'"
            ),
            SubsetReference(
                "public.events.user",
                follow: .parents,
                to: "public.users.id",
                expression: "(payload->>'user_id')::bigint"
            ),
            SubsetReference("public.posts.tag_ids", to: "public.tags.id", isArray: true),
        ],
        tenants: "public.accounts",
        crossing: .cut
    )

    @Test("All that can be said of a subset is read, and printed so that it is read again")
    func everything() throws {
        let read = try configuration(whole)
        #expect(read.backup.subset == settings)
        let text = ConfigurationPrinter().yaml(read)
        #expect(try configuration(text).backup.subset == settings, "\(text)")
    }

    @Test("The simplest one is a table and a condition, and has the defaults")
    func simplest() throws {
        let subset = try #require(try configuration("subset: {start: {a: x = 1}}").backup.subset)
        #expect(subset == SubsetSettings(start: [SubsetStart("a", where: "x = 1")]))
        #expect(subset.includesChildren && subset.unconnectedOrDefault == .whole && subset.crossing == .error)
        let tenants = try configuration("subset: {start: {a: x = 1}, tenants: a}").backup.subset
        #expect(tenants?.unconnectedOrDefault == .error)
        #expect(try configuration("subset: null").backup.subset == nil)
    }

    @Test("That of 'backup' hides that of the root, and files are laid over one another key by key")
    func levels() throws {
        let hidden = "{subset: {start: {a: x}}, backup: {subset: {start: {b: y}}}}"
        #expect(try configuration(hidden).backup.subset?.start == [SubsetStart("b", where: "y")])
        #expect(try configuration("{subset: {start: {a: x}}, backup: {subset: null}}").backup.subset == nil)
        var sources = ConfigurationSources(environment: ["DATABUDGIE_SUBSET__MAX_ROWS": "9"])
        sources.overrides.rawConfig = "subset: {start: {a: x}, whole: [w]}"
        sources.overrides.rawConfigFormat = .yaml
        sources.looksForDefaultFiles = false
        let subset = try Configuration.load(sources).backup.subset
        #expect(subset == SubsetSettings(start: [SubsetStart("a", where: "x")], whole: ["w"], maximumRows: 9))
    }

    @Test("--start replaces what is chosen, wherever it is written, and nothing else")
    func startOption() throws {
        func start(_ yaml: String, _ starts: [String]) throws -> SubsetSettings? {
            var sources = ConfigurationSources(environment: [:])
            sources.overrides.rawConfig = yaml
            sources.overrides.rawConfigFormat = .yaml
            sources.overrides.starts = starts
            sources.looksForDefaultFiles = false
            return try Configuration.load(sources).backup.subset
        }
        let expected = SubsetSettings(start: [SubsetStart("a", where: "id = 4"), SubsetStart("a", where: "n = '='")])
        let options = ["a=id = 4", "a=n = '='"]
        #expect(try start("{}", options) == expected)
        #expect(try start("backup: {subset: null}", options) == expected)
        var whole = expected
        whole.whole = ["w"]
        #expect(try start("subset: {start: {b: x}, whole: [w]}", options) == whole)
        #expect(try start("{backup: {subset: {whole: [w]}}, subset: {start: {c: x}}}", options) == whole)
        for wrong in ["a", "a=", "=x"] {
            let error = #expect(throws: ConfigurationError.self) { try start("{}", [wrong]) }
            #expect(error?.description.hasPrefix("--start: '\(wrong)' is not a table and a condition; write") == true)
        }
    }

    @Test(
        "Mistakes name their place",
        arguments: [
            ("subset: 7", "test.yaml:1: 'subset' must be a mapping, not a number"),
            (
                "subset: {}",
                "test.yaml:1: 'subset' has no 'start'; name a table and a condition under 'start', for instance "
                    + "public.customers: id = 4"
            ),
            ("subset: {stat: {}}", "test.yaml:1: unknown key 'stat' in 'subset'; did you mean 'start'?"),
            ("subset: {start: [a]}", "test.yaml:1: 'start' must be a mapping of tables, not a list"),
            (
                "subset: {start: {a: null}}",
                "test.yaml:1: the start 'a' needs a condition; write true to choose all rows"
            ),
            ("subset: {start: {a: ' '}}", "test.yaml:1: 'start' is empty; write SQL, or remove it"),
            (
                "subset: {start: {a: {limits: 1}}}",
                "test.yaml:1: unknown key 'limits' in a start of 'subset'; did you mean 'limit'?"
            ),
            (
                "subset: {start: {a: {order_by: x}}}",
                "test.yaml:1: 'order_by' has no effect without 'limit'; add a limit, or remove it"
            ),
            ("subset: {start: {a: {limit: 0}}}", "test.yaml:1: 'limit' must be a positive integer, not '0'"),
            (
                "subset: {start: {a: {sample: 101%}}}",
                "test.yaml:1: 'sample' cannot be '101%'; write a share of the rows such as 1% or 0.5%"
            ),
            (
                "subset: {start: {a: x}, unconnected: hole}",
                "test.yaml:1: 'unconnected' cannot be 'hole'; did you mean 'whole'?"
            ),
            (
                "subset: {start: {a: x}, crossing: cut}",
                "test.yaml:1: 'crossing' has no effect without 'tenants'; name the table of the tenants under 'tenants', or "
                    + "remove it"
            ),
            ("subset: {start: {a: x}, references: [b]}", "test.yaml:1: 'references' must be a mapping, not a list"),
            (
                "subset: {start: {a: x}, references: {a.b: parent}}",
                "test.yaml:1: 'a.b' cannot be 'parent'; did you mean 'parents'?"
            ),
            (
                "subset: {start: {a: x}, references: {a.b: null}}",
                "test.yaml:1: the reference 'a.b' needs a word or a mapping"
            ),
            (
                "subset: {start: {a: x}, references: {a.b: {when: y}}}",
                "test.yaml:1: the reference 'a.b' has 'when', and so no constraint, but no 'to'; write what it refers to, for "
                    + "instance to: public.users.id"
            ),
            (
                "subset: {start: {a: x}, references: {a.b: {follow: cut, limit: 2}}}",
                "test.yaml:1: the reference 'a.b' says which referring rows are chosen, but 'cut' chooses none; write follow: "
                    + "both, or remove where, limit, order_by and sample"
            ),
            (
                "restore: {subset: {start: {a: x}}}",
                "test.yaml:1: unknown key 'subset' in 'restore'; it belongs in 'backup' or at the root"
            ),
        ]
    )
    func wording(yaml: String, line: String) {
        #expect(problems(yaml).contains(line), "\(problems(yaml))")
    }
}
