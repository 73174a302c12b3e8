import Databudgie
import DatabudgieTestSupport
import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import DatabudgieCLI

@Suite("Pages about sets and runs", .timeLimit(.minutes(5)))
struct ReportTests {
    /// What names of tables could do to a page.
    private static let names = [
        #"<script>alert(1)</script>"#, #""><img src="http://127.0.0.1:1/x">"#, "]]> & &lt; ' </style>",
    ]

    private static var chromium: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return folders.map { $0 + "/chromium" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private func withShop(_ body: (Shop) async throws -> Void) async throws {
        try await Shop.with { shop in
            for name in Self.names {
                let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
                try await shop.execute(
                    "create table \(quoted) (id int primary key, product_id int references products)"
                )
            }
            try shop.configure("root_location: backups\nlocation: '{table}'\ntables: ['public.*']")
            try await body(shop)
        }
    }

    private func text(_ name: String, _ shop: Shop) throws -> String {
        try String(contentsOfFile: "\(shop.folder)/\(name)", encoding: .utf8)
    }

    /// What a page must not have if it is to need nothing from anywhere, and the texts in it.
    private func expectSelfContained(_ page: String) throws -> [String] {
        let parser = XMLTexts(Data(page.utf8))
        let texts = try parser.parse()
        for element in ["script", "img", "iframe", "object", "use", "image", "a", "form"] {
            #expect(!parser.elements.contains(element), "\(element)")
        }
        #expect(page.components(separatedBy: "url(").dropFirst().allSatisfy { $0.hasPrefix("#") })
        #expect(page.components(separatedBy: "href=").dropFirst().allSatisfy { $0.hasPrefix("\"data:,\"") })
        #expect(!page.contains(" src=\"") && !page.contains("@import"))
        #expect(page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"))
        return texts
    }

    /// A table's name without its quotes, and those around it.
    private func plainName(_ name: String) -> String { "public.\(name)".replacing("\"", with: "") }

    @Test("A set is a page that needs nothing from anywhere, is XML as well, and has all names as text")
    func show() async throws {
        try await withShop { shop in
            for _ in 1...2 {
                let backup = try await shop.program.run("backup")
                #expect(backup.status == 0, "\(backup.error)")
            }
            let plain = try await shop.program.run("show")
            let shown = try await shop.program.run("show", "--html", "set.html")
            #expect(shown.status == 0 && shown.error.isEmpty && shown.output == plain.output)
            let page = try text("set.html", shop)
            let texts = try expectSelfContained(page)
            for name in Self.names + ["products", "sales"] {
                // In the list of all tables, among the largest, and in the graph.
                #expect(texts.count { $0.replacing("\"", with: "") == plainName(name) } >= 2, "\(name)")
            }
            #expect(texts.contains("complete") && texts.contains("The last 2 sets"))
            #expect(texts.contains { $0.hasPrefix("sales_product_id_fkey: public.sales refers to public.products") })
            #expect(texts.contains("600"), "the rows of all tables")
            // Only what was asked for.
            _ = try await shop.program.run("show", "--html", "one.html", "--table", "public.sales")
            let one = try expectSelfContained(try text("one.html", shop))
            #expect(one.contains("public.sales") && !one.contains("public.products"))
        }
    }

    @Test("A backup writes a page whatever becomes of it, with how long each table took and what failed")
    func backup() async throws {
        try await withShop { shop in
            let complete = try await shop.program.run("backup", "--report", "run.html")
            #expect(complete.status == 0, "\(complete.error)")
            let texts = try expectSelfContained(try text("run.html", shop))
            #expect(texts.contains("complete") && texts.contains("time"))
            #expect(texts.contains("Tables and their foreign keys"))

            try await shop.execute(
                "create function fails(int) returns int language plpgsql as $$ begin raise 'no <b>such</b> thing'; end $$"
            )
            try shop.configure(
                "root_location: backups\nlocation: '{table}'\n"
                    + "tables: [public.products, {name: public.sales, query: 'select fails(id) from sales'}]"
            )
            let partial = try await shop.program.run("backup", "--report", "run.html")
            #expect(partial.status == 1)
            let after = try expectSelfContained(try text("run.html", shop))
            #expect(after.contains("partial") && after.contains("What failed"))
            #expect(after.contains { $0.contains("no <b>such</b> thing") }, "\(after)")

            let nowhere = "postgresql://127.0.0.1:1/none"
            let failed = try await shop.program.run("backup", "--report", "run.html", "--url", nowhere)
            #expect(failed.status == 1)
            let last = try expectSelfContained(try text("run.html", shop))
            #expect(last.contains("failed") && last.contains { $0.contains("127.0.0.1") })
        }
    }

    @Test("A page in a folder that is not there is refused before the run, and one that cannot be written is an error")
    func unwritable() async throws {
        try await withShop { shop in
            let outcome = try await shop.program.run("backup", "--report", "missing/run.html")
            #expect(outcome.status == 2)
            #expect(
                outcome.error == """
                    databudgie: error: --report: there is no folder missing for missing/run.html
                      hint: create the folder, or name a file in another one

                    """
            )
            #expect(try shop.files().isEmpty)
            try FileManager.default.createDirectory(
                atPath: shop.folder + "/folder.html",
                withIntermediateDirectories: false
            )
            let folder = try await shop.program.run("backup", "--report", "folder.html")
            #expect(folder.status == 1 && folder.errors.count == 1)
            #expect(
                folder.error.contains(
                    "folder.html cannot be written: Is a directory\n  hint: name a file, not a folder"
                )
            )
            let list = try await shop.program.run("list")
            #expect(list.output.contains("complete"))
            let dry = try await shop.program.run("backup", "--dry-run", "--report", "dry.html")
            #expect(dry.status == 0 && dry.error.contains("; nothing was written except the page dry.html."))
            #expect(try text("dry.html", shop).contains("Dry run of a backup"))
            let show = try await shop.program.run("show", "--html", "missing/set.html")
            #expect(show.status == 1 && show.output.isEmpty)
            #expect(
                show.error.contains("missing/set.html cannot be written: No such file or directory\n  hint: create ")
            )
            let both = try await shop.program.run("show", "--html", "set.html", "--json")
            #expect(both.status == 2 && both.error.contains("--html and --json exclude each other"))
        }
    }

    @Test("Thousands of tables are all on the page, which draws those with the most keys")
    func many() throws {
        var report = Report(title: "Backup", status: .complete, tool: "databudgie", writtenAt: Date())
        report.tables = (0..<2000).map { Report.Table(name: "t\($0)", rows: 1, bytes: 10, fileBytes: Int64($0)) }
        let keys = (1..<2000).map { #"{"name": "k", "table": "t\#($0)", "references": "t\#($0 / 2)"}"# }
        let json = "[\(keys.joined(separator: ","))]"
        report.foreignKeys = try JSONDecoder().decode([SetRecord.ForeignKey].self, from: Data(json.utf8))
        let texts = try expectSelfContained(ReportPage(report: report).text)
        #expect((0..<2000).allSatisfy { number in texts.contains("t\(number)") })
        let note =
            "Each table is to the right of those that it refers to. 1,940 more with foreign keys are not drawn."
        #expect(texts.contains(note))
        // One that is drawn is joined to another one that is.
        let drawing = try #require(GraphDrawing(report)).svg.markup
        #expect(drawing.components(separatedBy: "class=\"box\"").count == 61)
        #expect(drawing.components(separatedBy: "class=\"key\"").count >= 60)
    }

    @Test("A page of one table, and one of nothing, are whole")
    func few() throws {
        var report = Report(title: "Backup", status: .failed, tool: "databudgie", writtenAt: Date())
        report.failures = [(nil, "the server \u{1}\u{202E}is gone")]
        let nothing = try expectSelfContained(ReportPage(report: report).text)
        #expect(nothing.contains("the server \u{FFFD}\u{FFFD}is gone") && !nothing.contains("All tables"))
        report.tables = [Report.Table(name: "a", rows: nil, bytes: nil, fileBytes: nil)]
        let one = try expectSelfContained(ReportPage(report: report).text)
        #expect(one.contains("unknown") && one.contains("All tables") && !one.contains("Tables and their foreign keys"))
    }

    @Test("Tables are right of those that they refer to, in cycles and chains of thousands too")
    func layout() {
        let chain = GraphLayout(count: 3000, edges: (1..<3000).map { ($0, $0 - 1) })
        #expect(chain.columns.map(\.first) == (0..<3000).map { $0 })
        let cycle = GraphLayout(count: 4, edges: [(0, 1), (1, 2), (2, 0), (3, 0), (3, 3)])
        #expect(cycle.columns.map(\.count).reduce(0, +) == 4)
        #expect(cycle.columns.last == [3])
        #expect(GraphLayout(count: 0, edges: []).columns.isEmpty)
        // The order of neighbours is that of their neighbours: no two of these keys cross.
        let crossed = GraphLayout(count: 4, edges: [(2, 1), (3, 0)])
        #expect(crossed.columns == [[0, 1], [3, 2]] || crossed.columns == [[1, 0], [2, 3]])
    }

    @Test(
        "A browser shows the page without a word on its console, and asks nobody for anything",
        .enabled(if: chromium != nil, "there is no chromium in PATH (Debian: chromium)"),
        arguments: ["1280,900", "400,900"]
    )
    func browser(window: String) async throws {
        try await withShop { shop in
            let backup = try await shop.program.run("backup", "--report", "run.html")
            #expect(backup.status == 0, "\(backup.error)")
            let shown = try await show("run.html", window, in: shop.folder)
            #expect(shown.messages == [], "\(shown.messages)")
            #expect(shown.document.contains("All tables") && !shown.document.contains("<script"))
            // The policy of the page makes a message of each request, so there was none.
            let page = try text("run.html", shop).replacing(
                "</main>",
                with: "<img src=\"http://127.0.0.1:1/x\" alt=\"\" /></main>"
            )
            try Data(page.utf8).write(to: URL(filePath: "\(shop.folder)/asking.html"))
            let asking = try await show("asking.html", window, in: shop.folder)
            #expect(asking.messages.contains { $0.contains("http://127.0.0.1:1/x") }, "\(asking.messages)")
        }
    }

    /// The document as Chromium has it in the end, and what it wrote to the console.
    private func show(
        _ name: String,
        _ window: String,
        in folder: String
    ) async throws -> (document: String, messages: [Substring]) {
        let result = try await run(
            .path(FilePath(Self.chromium ?? "")),
            arguments: [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--user-data-dir=\(folder)/profile", "--window-size=\(window)",
                "--enable-logging=stderr", "--dump-dom", "file://\(folder)/\(name)",
            ],
            output: .string(limit: 16 << 20),
            error: .string(limit: 16 << 20)
        )
        #expect(result.terminationStatus.isSuccess)
        return (result.standardOutput, result.standardError.split(separator: "\n").filter { $0.contains("CONSOLE") })
    }
}
