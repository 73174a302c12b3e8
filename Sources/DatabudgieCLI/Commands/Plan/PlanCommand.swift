import ArgumentParser
import Databudgie

/// The options of what a plan is printed as.
struct PlanOutput: ParsableArguments {
    @Flag(help: "Print one JSON document.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Also draw the tables and their foreign keys to this file: .svg (by Graphviz), .dot or .mmd (Mermaid).",
            valueName: "file"
        ),
        completion: .file(extensions: ["svg", "dot", "mmd"])
    )
    var graph: String?

    func validate() throws {
        if let graph, GraphFile(path: graph) == nil {
            throw ValidationError("--graph: '\(graph)' does not end in .svg, .dot or .mmd")
        }
    }
}

/// A subcommand that shows what a run would do.
protocol PlanCommand: Subcommand {
    /// What is planned.
    static var kind: RunKind { get }

    /// What the plan is printed as.
    var output: PlanOutput { get }

    /// The configuration's sources, with the subcommand's own options in them.
    ///
    /// - Throws: ``CommandError`` when standard input cannot be read.
    func sources() throws -> ConfigurationSources

    /// Computes the plan.
    static func plan(
        _ configuration: Configuration,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunPlan
}

extension PlanCommand {
    func execute() async throws -> ExitStatus {
        let loaded = try LoadedConfiguration(
            try sources(),
            for: Self.kind,
            options: options,
            hint: "name one with --config, or pass --url and --table"
        )
        let (configuration, display) = (loaded.configuration, loaded.display)
        let graph = output.graph
        let outcome = await withInterruption(onSignal: { _ in display.interrupting() }) {
            let plan = try await Self.plan(configuration) { event in
                // What is planned, and of which set, is in the plan.
                switch event {
                case .planned, .restoring: break
                default: display.handle(event)
                }
            }
            try await Self.draw(plan, to: graph, display)
            return plan
        }
        switch (outcome.result, outcome.signal) {
        case (.failure, let signal?):
            return .interrupted(by: signal)
        case (.failure(let error), nil):
            throw error
        case (.success(let plan), _):
            let text =
                output.json
                ? PlanJSON.text(plan)
                : PlanDescription(plan).lines(isVerbose: display.verbosity >= .details).map { $0 + "\n" }.joined()
            try StandardStream.standardOutput.write(text)
            return plan.isWithoutProblems ? .success : .failure
        }
    }

    private static func draw(_ plan: RunPlan, to path: String?, _ display: RunDisplay) async throws {
        guard let path, let file = GraphFile(path: path) else { return }
        if let finding = try await file.write(PlanGraph(plan)) { display.warn([finding]) }
    }
}
