import Glibc
import SystemPackage

extension StorageError {
    /// Tells a failed call of the system in the user's words.
    /// - Parameters:
    ///   - failure: What the call threw; other errors than `Errno` pass through unchanged.
    ///   - path: The local path that was worked on.
    ///   - action: What was tried, as in "cannot be written".
    ///   - subject: What the message names; nil for the path.
    /// - Returns: The error to throw.
    static func local(_ failure: any Error, _ path: String, _ action: String, subject: String? = nil) -> any Error {
        guard let errno = failure as? Errno else { return failure }
        let (code, reason) = explanation(of: errno)
        return StorageError(code, "\(subject ?? path) \(action): \(reason)", path: .local(path), underlying: errno)
    }

    private static func explanation(of errno: Errno) -> (Code, String) {
        switch errno {
        case .noSuchFileOrDirectory:
            (.notFound, "it does not exist. Check the path.")
        case .fileExists:
            (.alreadyExists, "it exists already. Choose another name or remove the file.")
        case .permissionDenied, .notPermitted:
            (.accessDenied, "the permission is missing. Check the owner and the mode of the file and its folder.")
        case .readOnlyFileSystem:
            (.notWritable, "the file system is read-only. Choose another folder.")
        case .noSpace:
            (.outOfSpace, "the disk is full. Free some space or choose another disk.")
        case .diskQuotaExceeded:
            (.outOfSpace, "the disk quota is used up. Free some space or have the quota raised.")
        case .fileTooLarge:
            (.outOfSpace, "it is too large for this file system or for the limits of this process. Raise the limit.")
        case .ioError:
            (.inputOutput, "the disk reported an input/output error. Check the disk and the system's log.")
        case .notDirectory:
            (.invalidPath, "a part of the path is a file, not a folder. Correct the path.")
        case .isDirectory:
            (.invalidPath, "it is a folder. Give the path of a file.")
        case .fileNameTooLong:
            (.invalidPath, "its name is too long for this file system. Choose a shorter name.")
        case .tooManySymbolicLinkLevels:
            (.unsafeLink, "its symbolic links lead in a circle. Correct the links.")
        default:
            (.inputOutput, "\(errno) (system error \(errno.rawValue)). Check the disk and the path.")
        }
    }
}

/// Throws the system's error when a call of the C library did not return 0.
func check(_ result: Int32) throws(Errno) {
    guard result != 0 else { return }
    throw Errno(rawValue: errno)
}
