import Foundation
import SystemPackage

/// Looks whether the file for monitoring can be written, and whether the collector would read it.
struct MetricsCheck: Sendable {
    let run: CheckedRun

    /// Looks without writing anything; what is wrong is a warning, because metrics never change the result of a run.
    func check() -> [CheckFinding] {
        guard let path = run.configuration.run(for: run.kind).metrics else { return [] }
        let file = FilePath(path)
        let above = file.removingLastComponent().string
        let folder = above.isEmpty ? "." : above
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            return [
                warning(
                    "cannot be written, because there is no folder \(folder)",
                    path,
                    hint: "create the folder, or name a file in another one"
                )
            ]
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            return [
                warning(
                    "cannot be written: the folder \(folder): \(Errno(rawValue: errno))",
                    path,
                    hint: "allow this user to write to the folder, or name a file in another one"
                )
            ]
        }
        guard file.extension?.hasBytes(of: "prom") == true else {
            return [
                warning(
                    "the textfile collector reads only files whose names end in .prom",
                    path,
                    hint: "rename it under 'metrics'"
                )
            ]
        }
        return [run.finding(.ok, .metrics, "can be written", of: path)]
    }

    private func warning(_ message: String, _ path: String, hint: String) -> CheckFinding {
        run.finding(.warning, .metrics, message, of: path, hint: hint)
    }
}
