import Databudgie
import Foundation

extension Report {
    /// The report of a backup, whatever became of it.
    ///
    /// What it recorded is read again, because only the record has all of it: columns, foreign keys, warnings. A role that
    /// is not allowed to read gets what the run itself knows.
    /// - Parameters:
    ///   - result: What the run returned, or why it ended.
    ///   - isInterrupted: A signal has ended it.
    ///   - configuration: Says where the catalog is.
    ///   - now: The moment of the report.
    init(
        _ result: Result<RunReport, any Error>,
        isInterrupted: Bool,
        of configuration: Configuration,
        at now: Date
    ) async {
        let run = try? result.get()
        let found =
            if let set = run?.set, run?.isDryRun == false { try? await SetLookup(configuration).find(set) } else {
                StoredSet?.none
            }
        let sets = (try? await SetList(configuration).read()) ?? []
        if let found {
            self.init(found, among: sets, at: now)
        } else {
            self.init(
                title: run?.isDryRun == true ? "Dry run of a backup" : "Backup",
                status: run?.failed.isEmpty == false ? .partial : .complete,
                tool: "databudgie \(DatabudgieVersion.current)",
                writtenAt: now
            )
            tables = run?.finished.filter { [.rows, .query].contains($0.job.subject) }.map(Table.init) ?? []
            failures = run?.failed.map { ($0.job.name, $0.message) } ?? []
            trend = Self.trend(sets)
        }
        if let run { add(run) }
        guard case .failure(let error) = result else { return }
        status = isInterrupted ? .interrupted : .failed
        failures =
            isInterrupted ? [] : Message.all(of: error).map { (nil, $0.text + ($0.hint.map { "; \($0)" } ?? "")) }
    }
}

extension ReportPage {
    /// Writes the page; a file of that name is replaced at once, when all of the page is on the disk.
    ///
    /// - Throws: ``CommandError`` when that is not possible.
    func write(to path: String) throws {
        try OutputFile(path: path).write(text)
    }
}
