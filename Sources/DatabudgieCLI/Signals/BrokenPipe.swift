import Foundation

/// The program's answer to a reader that has gone away, as in `databudgie config | head -1`.
enum BrokenPipe {
    /// Lets a write to a closed pipe fail with `EPIPE` rather than end the program half-way through a backup.
    ///
    /// A handler that does nothing is used in place of `SIG_IGN`, because programs that are started from here would
    /// inherit the latter.
    static func ignoreSignal() {
        signal(SIGPIPE) { _ in }
    }
}
