import Databudgie
import Foundation
import SystemPackage

/// A file that the user has named for a result, beside what is printed.
struct OutputFile {
    let path: String

    /// Refuses a file whose folder does not exist, before anything is done of which it would be the result.
    ///
    /// - Parameter option: The option that names the file.
    /// - Throws: ``CommandError`` with the code `usage`.
    func checkFolder(for option: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw CommandError(.usage, "\(option): there is no folder \(folder) for \(path)", hint: folderHint)
        }
    }

    /// Writes the file; one of that name is replaced at once, when all of the new one is on the disk.
    ///
    /// A device or a pipe is written to instead, and a symbolic link stays.
    ///
    /// - Parameter text: What the file will have.
    /// - Throws: ``CommandError`` that names the file and the reason; a temporary file is not left behind.
    func write(_ text: String) throws {
        do {
            var status = stat()
            let exists = stat(path, &status) == 0
            if exists, status.st_mode & S_IFMT == S_IFDIR { throw Errno.isDirectory }
            if exists, status.st_mode & S_IFMT != S_IFREG {
                let file = try FileDescriptor.open(FilePath(path), .writeOnly)
                return try file.closeAfter { _ = try file.writeAll(text.utf8) }
            }
            let replacement =
                exists
                ? FileReplacement(of: resolved, mode: status.st_mode & 0o777)
                : FileReplacement(of: FilePath(path), mode: nil)
            try replacement.write(text)
        } catch let error as Errno {
            throw CommandError(.output, "\(path) cannot be written: \(error)", hint: hint(for: error))
        }
    }

    /// The file that a symbolic link names.
    private var resolved: FilePath {
        guard let real = realpath(path, nil) else { return FilePath(path) }
        defer { free(real) }
        return FilePath(String(cString: real))
    }

    private var folder: String {
        let folder = FilePath(path).removingLastComponent().string
        return folder.isEmpty ? "." : folder
    }

    private var folderHint: String { "create the folder, or name a file in another one" }

    private func hint(for error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory: folderHint
        case .permissionDenied, .notPermitted, .readOnlyFileSystem:
            "allow this user to write to \(folder), or name a file in another folder"
        case .isDirectory: "name a file, not a folder"
        case .noSpace, .diskQuotaExceeded: "free some space, or name a file on another disk"
        default: "name another file"
        }
    }
}
