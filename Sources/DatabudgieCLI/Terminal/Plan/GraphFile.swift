import Databudgie
import Foundation
import Subprocess

/// The file that a graph is drawn to.
struct GraphFile {
    /// What the file has, by the end of its name.
    enum Form: String, CaseIterable {
        /// A drawing, which Graphviz makes.
        case svg
        /// Text for Graphviz.
        case dot
        /// Text for Mermaid.
        case mmd
    }

    let path: String
    let form: Form
    /// How long Graphviz may take.
    var limit = Duration.seconds(60)
    /// The variables of the environment, of which PATH says where Graphviz is.
    var environment = ProcessInfo.processInfo.environment

    /// The most tables of a drawing: more than that nobody can read, and Graphviz takes minutes for them.
    static let mostTables = 1_000

    /// - Returns: Nil for a name without one of the endings.
    init?(path: String) {
        let forms = Form.allCases.filter { path.utf8.count > 4 && path.lowercased().hasSuffix(".\($0.rawValue)") }
        guard let form = forms.first else { return nil }
        (self.path, self.form) = (path, form)
    }

    /// Draws a graph, and replaces the file.
    ///
    /// - Parameter graph: All of it; a drawing has the first tables only when there are too many.
    /// - Returns: What the user should know.
    /// - Throws: ``CommandError`` when Graphviz fails, or when the file cannot be written.
    func write(_ graph: PlanGraph) async throws -> Finding? {
        switch form {
        case .dot: try OutputFile(path: path).write(graph.dot)
        case .mmd: try OutputFile(path: path).write(graph.mermaid)
        case .svg: return try await drawing(graph.limited(to: Self.mostTables), of: graph)
        }
        return nil
    }

    private func drawing(_ limited: PlanGraph, of whole: PlanGraph) async throws -> Finding? {
        guard let svg = try await svg(limited.dot) else {
            let other = path.dropLast(4) + ".mmd"
            try OutputFile(path: String(other)).write(whole.mermaid)
            return Finding(
                .warning,
                "Graphviz, which draws SVG, was not found; the graph is written to \(other) as Mermaid text instead",
                hint: "install it (Debian: graphviz), or look at the text with a tool that shows Mermaid"
            )
        }
        try OutputFile(path: path).write(svg)
        guard limited.omitted > 0 else { return nil }
        return Finding(
            .warning,
            "the graph in \(path) has \(HumanNumber.count(Self.mostTables, "table")), and lacks "
                + "\(HumanNumber.count(limited.omitted)) more",
            hint: "name a .dot or .mmd file to have all of them as text"
        )
    }

    /// What Graphviz draws; nil when it is not there.
    private func svg(_ text: String) async throws -> String? {
        let variables = Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })
        let result = try await withThrowingTaskGroup(of: (output: String, error: String, isSuccess: Bool)?.self) {
            group in
            group.addTask {
                do {
                    let result = try await run(
                        .name("dot"),
                        arguments: ["-Tsvg"],
                        environment: .custom(variables),
                        input: .string(text),
                        output: .string(limit: 256 << 20),
                        error: .string(limit: 1 << 20)
                    )
                    return (result.standardOutput, result.standardError, result.terminationStatus.isSuccess)
                } catch let error as SubprocessError where error.code == .executableNotFound {
                    return nil
                }
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw CommandError(
                    .output,
                    "Graphviz did not draw \(path) within \(limit.components.seconds) seconds",
                    hint: "name a .dot file, and draw it by hand, or plan fewer tables"
                )
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let result else { return nil }
        guard result.isSuccess else {
            let reason = result.error.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
            throw CommandError(
                .output,
                "Graphviz could not draw \(path)\(reason)",
                hint: "name a .dot file to see its text"
            )
        }
        return result.output
    }
}
