import Databudgie
import Foundation

/// Sets as JSON documents, for `--json`.
///
/// Keys are snake_case and stay as they are from version to version; new ones may be added.
enum SetJSON {
    /// The document of a list.
    ///
    /// - Parameters:
    ///   - sets: What was found, newest first.
    ///   - catalog: The folder of the records.
    /// - Returns: The document with a line break at its end.
    static func list(_ sets: [ListedSet], in catalog: some CustomStringConvertible) -> String {
        let document = Document(catalog: catalog.description, sets: sets.map(Document.Entry.init))
        // Nothing in the document can fail to encode: no infinite numbers, no custom encoding.
        return ((try? JSONDocument.text(document)) ?? "{}") + "\n"
    }

    /// The record of a set as it is stored, with the catalog that it is from as its first key.
    static func record(_ set: StoredSet) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let brace = set.json.firstIndex(of: UInt8(ascii: "{")) ?? set.json.startIndex
        guard let catalog = try? encoder.encode("\(set.catalog)"), brace < set.json.endIndex else { return "" }
        let entry = Data("\n  \"catalog\" : ".utf8) + catalog + Data(",".utf8)
        return JSONDocument.lines(Data(set.json[...brace]) + entry + Data(set.json[(brace + 1)...]))
    }

    private struct Document: Encodable {
        struct Run: Encodable {
            let host: String
            let pid: Int
            let startedAt: Date
            let tool: String
        }

        struct Problem: Encodable {
            let message: String
            let hint: String?
        }

        struct Verification: Encodable {
            let status: String
            let level: String
            let verifiedAt: Date
            let findingCount: Int
        }

        struct Entry: Encodable {
            let id: String
            let status: String
            let consistency: String?
            let startedAt: Date?
            let finishedAt: Date?
            let database: String?
            let tables: Int?
            let rows: Int?
            let bytes: Int64?
            let fileBytes: Int64?
            let supersededBy: String?
            let tool: String?
            let run: Run?
            let verification: Verification?
            let error: Problem?

            init(_ set: ListedSet) {
                (id, status) = (set.id, set.state.rawValue)
                let summary = set.summary
                consistency = summary?.consistency.rawValue
                (startedAt, finishedAt) = (summary?.startedAt, summary?.finishedAt)
                (database, tool) = (summary?.source?.database, summary?.tool)
                (tables, rows) = (summary?.totals.tables, summary?.totals.rows)
                (bytes, fileBytes) = (summary?.totals.bytes, summary?.totals.fileBytes)
                supersededBy = summary?.supersededBy
                run = set.run.map { Run(host: $0.host, pid: $0.pid, startedAt: $0.startedAt, tool: $0.tool) }
                verification = set.verification.map {
                    Verification(
                        status: $0.status.rawValue,
                        level: $0.level.rawValue,
                        verifiedAt: $0.verifiedAt,
                        findingCount: $0.findingCount
                    )
                }
                error = set.problem.map { Problem(message: $0.message, hint: $0.hint) }
            }
        }

        let catalog: String
        let sets: [Entry]
    }
}
