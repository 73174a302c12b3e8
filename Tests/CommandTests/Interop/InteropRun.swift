import DatabudgieTestSupport
import Foundation
import Postgres
import Storage

/// Runs the cells of the matrix against one source.
struct InteropRun: Sendable {
    let source: ConnectionParameters

    /// Backs up with one tool, restores with the other, and compares.
    func result(of cell: InteropCell, number: Int) async throws -> InteropResult {
        try await PostgresServer.withDatabase { target in
            try await withTemporaryFolder { folder in
                if !cell.hasDefinitions {
                    try await Connection.withConnection(to: target) {
                        try await $0.execute(ServerBuild.shared.adapted(InteropSchema.definitions))
                    }
                }
                guard cell.isOnS3 else {
                    return try await result(
                        of: cell,
                        number: number,
                        target: target,
                        folder: folder,
                        root: folder + "/b"
                    )
                }
                return try await S3Server.shared.withFolder { remote in
                    try await result(of: cell, number: number, target: target, folder: folder, root: "\(remote)")
                }
            }
        }
    }

    private func result(
        of cell: InteropCell,
        number: Int,
        target: ConnectionParameters,
        folder: String,
        root: String
    ) async throws -> InteropResult {
        let yaml = cell.configuration(source: source, target: target, root: root)
        try Data(yaml.utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
        var program = Program(folder: folder)
        program.environment = try await S3Server.shared.environment
        // What boto3 sends by default since 2025 is not known to every S3 server.
        program.environment["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
        program.environment["AWS_DEFAULT_REGION"] = program.environment["AWS_REGION"]
        var result = InteropResult(number: number, cell: cell)
        for (action, tool) in [("backup", cell.writer), ("restore", cell.reader)] {
            let outcome =
                switch tool {
                case .ours: try await program.run(action)
                case .python: try await PythonTool(program: program).run(action)
                }
            if outcome.status != 0 || outcome.output.contains("Traceback") {
                let words = (outcome.output + outcome.error).suffix(2_000)
                result.problems.append("\(action) by \(tool.rawValue) ended with \(outcome.status): \(words)")
            }
        }
        if result.problems.isEmpty { try await compare(target, &result) }
        return result
    }

    private func compare(_ target: ConnectionParameters, _ result: inout InteropResult) async throws {
        for table in result.cell.tables {
            var isEqual = true
            for query in [InteropSchema.digest(table), InteropSchema.definitionDigest(table)] {
                let expected = try await value(source, query)
                let found = try await value(target, query)
                guard found != expected else { continue }
                isEqual = false
                result.problems.append("\(table): \(found) instead of \(expected)")
            }
            if isEqual { result.tables += 1 }
        }
        for sequence in InteropSchema.sequences {
            let next = try await value(source, InteropSchema.nextValue(sequence))
            guard let expected = result.cell.expectedNextValue(sequence, source: next) else { continue }
            let found = try await value(target, "select nextval('\(sequence)')")
            if found != expected {
                result.problems.append("\(sequence): next is \(found) instead of \(expected)")
            } else if expected == next {
                result.sequences += 1
            } else {
                result.lostSequences += 1
            }
        }
    }

    private func value(_ parameters: ConnectionParameters, _ sql: String) async throws -> String {
        do {
            return try await Connection.withConnection(to: parameters) { connection in
                let result = try await connection.query(sql)
                return result.rows.map { row in
                    result.columns.indices.map { row[$0] ?? "NULL" }.joined(separator: " ")
                }.joined(separator: "; ")
            }
        } catch let error as PostgresError where error.code != .connectionLost {
            return "\(error)"
        }
    }
}

/// What came of one cell.
struct InteropResult: Sendable {
    let number: Int
    let cell: InteropCell
    /// Tables whose rows are the same.
    var tables = 0
    /// Sequences whose next value is that of the source.
    var sequences = 0
    /// Sequences whose position the files of 2.9.3 do not hold.
    var lostSequences = 0
    var problems: [String] = []

    private static func columns(_ texts: [String]) -> String {
        zip(texts, [12, 9, 9, 13, 5, 8, 11, 15]).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined()
            + (texts.last ?? "")
    }

    /// The cell as a line of the matrix.
    var line: String {
        Self.columns([
            cell.writer.rawValue, cell.reader.rawValue, cell.isOnS3 ? "S3" : "local",
            cell.isCompressed ? "gzip" : "plain", cell.hasDefinitions ? "yes" : "no", "\(tables)/\(cell.tables.count)",
            "\(sequences)", "\(lostSequences)", problems.isEmpty ? "equal" : "DIFFERENT",
        ])
    }

    /// All cells as a table.
    static func table(_ results: [InteropResult]) -> String {
        let heading = columns([
            "written by", "read by", "storage", "compression", "ddl", "tables", "sequences", "lost by 2.9.3",
            "result",
        ])
        return ([heading] + results.map(\.line)).joined(separator: "\n")
    }
}
