import Glibc
import SystemPackage

/// The ways to a local file: links are followed as ``LocalFolder`` follows them.
enum LocalFile {
    /// Opens a file for reading; a pipe or a device is not waited for.
    static func open(_ path: String) throws -> OpenFile {
        var walk = try LocalWalk(to: path)
        return try walk.openFile(O_RDONLY | O_NONBLOCK)
    }

    /// Looks at what a path leads to.
    static func status(of path: String) throws -> Stat {
        var walk = try LocalWalk(to: path)
        return try walk.openFile(pathOnly).status()
    }
}
