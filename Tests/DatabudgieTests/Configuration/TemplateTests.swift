import Testing

@testable import Databudgie

@Suite("Templates")
struct TemplateTests {
    @Test("Variables are filled in, and doubled braces become single ones")
    func rendering() throws {
        let template = try Template("{{{table}}}/{timestamp}-{date}.{ext}")
        #expect(template.variables == [.table, .timestamp, .date, .ext])
        let values: [Template.Variable: String] = [
            .table: "public.a", .timestamp: "2021-04-26T09:00:00", .date: "2021-04-26", .ext: "csv.gz",
        ]
        #expect(template.render(values) == "{public.a}/2021-04-26T09:00:00-2021-04-26.csv.gz")
    }

    @Test("A variable without a value stays as it is written")
    func partialRendering() throws {
        #expect(try Template("{table}/{timestamp}").render([.table: "a"]) == "a/{timestamp}")
    }

    @Test(
        "A template with a fault is refused",
        arguments: [
            ("{nope}", "unknown variable '{nope}'"), ("a}", "a '}' closes nothing"),
            ("{table", "a '{' is not closed"),
            ("{}", "unknown variable '{}'"), ("{table!r}", "unknown variable '{table!r}'"),
        ]
    )
    func faults(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Template(text) }
        #expect(error?.code == .invalidTemplate)
        #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
    }

    @Test(
        "A file name matches wholly or not at all",
        arguments: [
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv", true),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv.gz", true),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv.zst", true),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv.bak", false),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv.partial", false),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.csv.gz.partial", false),
            ("{timestamp}.{ext}", "old-2021-04-26T09:00:00.csv", false),
            ("{timestamp}.{ext}", "2021-04-26.csv", false),
            ("{timestamp}.{ext}", "2021-04-26T09:00:00.json", false),
            ("{timestamp}.csv", "2021-04-26T09:00:00.csv", true),
            ("{timestamp}.csv", "2021-04-26T09:00:00.csv.gz", false),
            ("{timestamp}.csv.gz", "2021-04-26T09:00:00.csv.gz", true),
            ("{timestamp}.csv.gz", "2021-04-26T09:00:00xcsvxgz", false),
            ("{date}/{table}.{ext}", "2021-04-26/public.a.csv", true),
            ("{date}/{table}.{ext}", "2021-04-26/.csv", false),
            ("{date}/{table}.{ext}", "2021-04-26/a/b.csv", false),
            ("latest.csv", "latest.csv", true),
            ("{date}-{date}.csv", "2021-04-26-2021-04-26.csv", true),
            ("{date}-{date}.csv", "2021-04-26-2021-04-27.csv", false),
            ("{timestamp}.{ext}", "２021-04-26T09:00:00.csv", false),
        ]
    )
    func matching(template: String, name: String, matches: Bool) throws {
        #expect((try Template(template).match(name) != nil) == matches)
    }

    @Test("A match has the moment in the name")
    func moment() throws {
        let template = try Template("{table}-{timestamp}.{ext}")
        let match = try #require(template.match("public.a-b-2021-04-26T09:00:00.csv.gz"))
        #expect(match.moment == "2021-04-26T09:00:00")
        #expect(match.values[.table] == "public.a-b")
        #expect(match.values[.ext] == "csv.gz")
        #expect(try Template("{date}.{ext}").match("2021-04-26.csv")?.moment == "2021-04-26")
        #expect(try Template("x.{ext}").match("x.csv")?.moment == "")
    }

    @Test("A known value must be in the place of its variable")
    func knownValues() throws {
        let template = try Template("{table}.{ext}")
        #expect(template.match("a.b.csv", [.table: "a.b"]) != nil)
        #expect(template.match("a.c.csv", [.table: "a.b"]) == nil)
        #expect(template.match("a.sql", [.ext: "sql"]) != nil)
        #expect(template.match("a.csv", [.ext: "sql"]) == nil)
    }
}
