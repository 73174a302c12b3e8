import Foundation
import SystemPackage

/// One of the program's outputs: a terminal, or a file or pipe in its place.
struct StandardStream: Sendable {
    /// The size of a terminal in characters.
    struct Size: Equatable, Sendable {
        let columns: Int
        let lines: Int
    }

    /// Results: the configuration, statistics, help.
    static let standardOutput = StandardStream(.standardOutput)
    /// Progress and messages.
    static let standardError = StandardStream(.standardError)

    private let descriptor: FileDescriptor

    private init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Somebody may be looking on.
    var isTerminal: Bool {
        isatty(descriptor.rawValue) == 1
    }

    /// The size now; nil for a file or pipe, or a terminal that does not know its own.
    var size: Size? {
        var size = winsize()
        guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return Size(columns: Int(size.ws_col), lines: Int(size.ws_row))
    }

    /// Writes the whole text; when the reader has gone away, it wanted no more, and that is no error.
    ///
    /// - Throws: ``StandardStreamError``, for instance when the disk is full.
    func write(_ text: String) throws(StandardStreamError) {
        do {
            try descriptor.writeAll(Array(text.utf8))
        } catch Errno.brokenPipe {
            return
        } catch {
            throw StandardStreamError(description: "\(name) cannot be written: \(error).")
        }
    }

    private var name: String {
        descriptor == .standardOutput ? "Standard output" : "Standard error"
    }
}

/// Why an output could not be written.
struct StandardStreamError: Error, CustomStringConvertible {
    let description: String
}
