import Databudgie
import Foundation

/// A report as one HTML file, which needs nothing from anywhere and runs no script.
struct ReportPage {
    let report: Report

    /// The tables that are drawn as bars.
    private static let mostBars = 12

    /// The document.
    var text: String {
        HTML.element("html", ["lang": "en"], [head, .element("body", [:], [.element("main", [:], sections)])]).document
    }

    private var head: HTML {
        .element(
            "head",
            [:],
            [
                .element("meta", ["charset": "utf-8"]),
                .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                .element("meta", ["name": "color-scheme", "content": "light dark"]),
                .element(
                    "meta",
                    [
                        "http-equiv": "Content-Security-Policy",
                        "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
                    ]
                ),
                .element("link", ["rel": "icon", "href": "data:,"]),
                .element("title", text: report.title),
                .style(ReportStyle.sheet),
            ]
        )
    }

    private var sections: [HTML] {
        [header, figures, failures, warnings, trend, largest, slowest, graph, tables, facts, footer].compactMap(\.self)
    }

    // MARK: - What it is of

    private var header: HTML {
        .element(
            "header",
            [:],
            [
                .element("h1", text: report.title),
                .element("span", ["class": "badge \(report.status.rawValue)"], text: report.status.rawValue),
            ]
        )
    }

    private var figures: HTML {
        let rows = report.tables.compactMap(\.rows)
        let bytes = report.tables.compactMap(\.bytes).reduce(0, +)
        let stored = report.fileBytes ?? report.tables.compactMap(\.fileBytes).reduce(0, +)
        var figures: [(value: String, name: String)] = [
            (HumanNumber.count(report.tables.count), report.tables.count == 1 ? "table" : "tables"),
            (rows.isEmpty ? "unknown" : HumanNumber.count(rows.reduce(0, +)), "rows"),
            (HumanNumber.bytes(bytes), "of CSV"),
            (HumanNumber.bytes(stored), "as stored"),
        ]
        if let seconds = report.seconds {
            let isExact = seconds >= 1 && !report.hasWholeSeconds
            let duration = isExact ? HumanNumber.duration(.seconds(seconds)) : HumanNumber.wholeSeconds(seconds)
            figures.append((duration, "from beginning to end"))
        }
        if !report.failures.isEmpty { figures.append((HumanNumber.count(report.failures.count), "failed")) }
        let items = figures.map { figure in
            HTML.element(
                "div",
                ["class": "figure"],
                [.element("strong", text: figure.value), .element("span", text: figure.name)]
            )
        }
        return .element("section", ["class": "figures"], items)
    }

    private var failures: HTML? {
        guard !report.failures.isEmpty else { return nil }
        let items = report.failures.map { failure in
            HTML.element(
                "li",
                [:],
                (failure.table.map { [.element("b", text: $0), HTML(": ")] } ?? []) + [HTML(failure.message)]
            )
        }
        return section("What failed", [.element("ul", ["class": "failures"], items)])
    }

    private var warnings: HTML? {
        guard !report.warnings.isEmpty else { return nil }
        let items = report.warnings.map { HTML.element("li", text: $0) }
        return section("Warnings", [.element("ul", ["class": "warnings"], items)])
    }

    private var facts: HTML? {
        guard !report.facts.isEmpty else { return nil }
        let items = report.facts.flatMap { fact in
            [HTML.element("dt", text: fact.name), .element("dd", text: fact.value)]
        }
        return section("Details", [.element("dl", [:], items)])
    }

    private var footer: HTML {
        let time = report.writtenAt.formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
        return .element("footer", text: "Written by \(report.tool), the page at \(time).")
    }

    // MARK: - Drawings

    private var trend: HTML? {
        guard report.trend.count > 1 else { return nil }
        let sets = HumanNumber.count(report.trend.count, "set")
        return section(
            "The last \(sets)",
            [
                .element(
                    "div",
                    ["class": "charts"],
                    [
                        TrendChart(report.trend, of: report.set, "Size as stored") {
                            Double($0.fileBytes)
                        } show: {
                            HumanNumber.bytes($0.fileBytes)
                        }.drawing,
                        TrendChart(report.trend, of: report.set, "Duration", \.seconds) {
                            HumanNumber.wholeSeconds($0.seconds)
                        }.drawing,
                    ]
                )
            ]
        )
    }

    private var largest: HTML? {
        bars("The largest tables, as stored", { $0.fileBytes.map(Double.init) }) {
            $0.fileBytes.map(HumanNumber.bytes) ?? ""
        }
    }

    private var slowest: HTML? {
        bars("The tables that took longest", { $0.duration?.inSeconds }) {
            $0.duration.map(HumanNumber.duration) ?? ""
        }
    }

    private func bars(
        _ title: String,
        _ value: (Report.Table) -> Double?,
        show: (Report.Table) -> String
    ) -> HTML? {
        let known = report.tables.compactMap { table in value(table).map { (table: table, value: $0) } }
        let shown = known.sorted { $0.value > $1.value }.prefix(Self.mostBars)
        guard shown.count > 1, let most = shown.first?.value, most > 0 else { return nil }
        let rows = shown.map { item in
            HTML.element(
                "div",
                ["class": "bar"],
                [
                    .element("bdi", ["title": item.table.name], text: item.table.name),
                    .element(
                        "svg",
                        ["width": "100%", "height": "10", "aria-hidden": "true"],
                        [
                            .element("rect", ["class": "rail", "width": "100%", "height": "10", "rx": "3"]),
                            .element(
                                "rect",
                                ["width": "\(HumanNumber.plain(item.value / most * 100))%", "height": "10", "rx": "3"]
                            ),
                        ]
                    ),
                    .element("span", text: show(item.table)),
                ]
            )
        }
        return section(title, [.element("div", ["class": "bars"], rows)])
    }

    private var graph: HTML? {
        guard let drawing = GraphDrawing(report) else { return nil }
        var parts = [HTML.element("div", ["class": "scroll"], [drawing.svg])]
        parts.append(.element("p", ["class": "note"], text: drawing.note))
        return section("Tables and their foreign keys", parts)
    }

    // MARK: - All tables

    private var tables: HTML? {
        guard !report.tables.isEmpty else { return nil }
        let hasDurations = report.tables.contains { $0.duration != nil }
        let hasMasks = report.tables.contains { $0.maskedColumns > 0 }
        let names =
            ["table", "rows", "CSV", "stored", "columns"] + (hasMasks ? ["masked"] : [])
            + (hasDurations ? ["time"] : [])
            + ["file"]
        let head = names.map { name in
            HTML.element("th", ["class": ["table", "file"].contains(name) ? "text" : "number"], text: name)
        }
        let rows = report.tables.map { table in row(table, hasMasks: hasMasks, hasDurations: hasDurations) }
        return section(
            "All tables",
            [
                .element(
                    "div",
                    ["class": "scroll"],
                    [
                        .element(
                            "table",
                            [:],
                            [
                                .element("thead", [:], [.element("tr", [:], head)]),
                                .element("tbody", [:], [.lines(rows)]),
                            ]
                        )
                    ]
                )
            ]
        )
    }

    private func row(_ table: Report.Table, hasMasks: Bool, hasDurations: Bool) -> HTML {
        var numbers = [
            table.rows.map { HumanNumber.count($0) }, table.bytes.map(HumanNumber.bytes),
            table.fileBytes.map(HumanNumber.bytes), table.columns.map { HumanNumber.count($0) },
        ]
        if hasMasks { numbers.append(HumanNumber.count(table.maskedColumns)) }
        if hasDurations { numbers.append(table.duration.map(HumanNumber.duration)) }
        let cells =
            [HTML.element("td", ["class": "text"], [.element("bdi", text: table.name)])]
            + numbers.map { .element("td", ["class": "number"], text: $0 ?? "–") }
            + [.element("td", ["class": "text path"], [.element("bdi", text: table.file ?? "–")])]
        return .element("tr", [:], cells)
    }

    private func section(_ title: String, _ content: [HTML]) -> HTML {
        .element("section", [:], [.element("h2", text: title)] + content)
    }
}
