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

    /// A person may be reading.
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

    /// Writes the whole text; when the reader has gone away, it wanted no more, and that is not an error.
    ///
    /// A descriptor that another program has made non-blocking is waited for: half a line would be worse than a wait.
    ///
    /// - Throws: ``CommandError``, for instance when the disk is full.
    func write(_ text: String) throws(CommandError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            do {
                let count = try rest.withUnsafeBytes { try descriptor.write($0) }
                rest = rest.dropFirst(count)
            } catch Errno.brokenPipe {
                return
            } catch Errno.wouldBlock {
                waitUntilWritable()
            } catch {
                throw CommandError(.output, "\(name) cannot be written: \(error)")
            }
        }
    }

    private func waitUntilWritable() {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        _ = poll(&entry, 1, -1)
    }

    private var name: String {
        descriptor == .standardOutput ? "standard output" : "standard error"
    }
}
