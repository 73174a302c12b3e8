import Glibc
import SystemPackage

extension StorageError {
    /// Turns a failed system call into an error for the user.
    /// - Parameters:
    ///   - failure: What the call threw; errors other than `Errno` pass through unchanged.
    ///   - path: The local path that was worked on.
    ///   - action: What failed, as in "cannot be written".
    ///   - subject: What the message names; nil for the path.
    /// - Returns: The error to throw.
    static func local(_ failure: any Error, _ path: String, _ action: String, subject: String? = nil) -> any Error {
        guard let errno = failure as? Errno else { return failure }
        let (code, reason, hint) = explanation(of: errno)
        return StorageError(
            code,
            "\(subject ?? path) \(action): \(reason)",
            hint: hint,
            path: .local(path),
            underlying: errno
        )
    }

    private static func explanation(of errno: Errno) -> (Code, reason: String, hint: String) {
        switch errno {
        case .noSuchFileOrDirectory:
            (.notFound, "it does not exist", "check the path")
        case .fileExists:
            (.alreadyExists, "it already exists", "choose another name or remove the file")
        case .permissionDenied, .notPermitted:
            (.accessDenied, "permission denied", "check the owner and the mode of the file and its folder")
        case .readOnlyFileSystem:
            (.notWritable, "the file system is read-only", "choose another folder")
        case .noSpace:
            (.outOfSpace, "the disk is full", "free some space or choose another disk")
        case .diskQuotaExceeded:
            (.outOfSpace, "the disk quota is exceeded", "free some space or raise the quota")
        case .fileTooLarge:
            (.outOfSpace, "it is too large for the file system or the limits of this process", "raise the limit")
        case .ioError:
            (.inputOutput, "the disk reported an input/output error", "check the disk and the system's log")
        case .notDirectory:
            (.invalidPath, "a part of the path is a file, not a folder", "correct the path")
        case .isDirectory:
            (.invalidPath, "it is a folder", "give the path of a file")
        case .fileNameTooLong:
            (.invalidPath, "its name is too long for this file system", "choose a shorter name")
        case .tooManySymbolicLinkLevels:
            (.unsafeLink, "its symbolic links form a loop", "correct the links")
        default:
            (.inputOutput, "\(errno) (system error \(errno.rawValue))", "check the disk and the path")
        }
    }
}

/// Throws the system's error when a call of the C library did not return 0.
func check(_ result: Int32) throws(Errno) {
    guard result != 0 else { return }
    throw Errno(rawValue: errno)
}
