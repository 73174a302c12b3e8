import Foundation

/// Creates an empty folder for a test and removes it with everything in it afterwards.
///
/// - Parameter body: What to do with the folder, given its absolute path.
/// - Returns: What the closure returns.
/// - Throws: The closure's error, or Foundation's when the folder cannot be created.
public func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// Creates an empty folder that the caller removes.
///
/// - Returns: Its absolute path, short enough for a unix socket inside.
func makeTemporaryFolder() throws -> String {
    // With symbolic links resolved: the paths that tests compare are the ones that programs report.
    let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    let folder = parent.appending(path: "databudgie-\(UInt32.random(in: 0 ... .max))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    return folder.path(percentEncoded: false).trimmingSuffix("/")
}

extension String {
    /// The string without a suffix, if it has it.
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
