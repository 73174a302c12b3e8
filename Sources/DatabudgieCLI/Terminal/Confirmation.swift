import Databudgie
import Dispatch
import Foundation
import Synchronization
import SystemPackage

/// Asks the user at a terminal before something is destroyed.
enum Confirmation {
    /// Asks, and returns when the answer is yes.
    ///
    /// The question is on standard error, or on the controlling terminal when standard error is redirected: a question in a
    /// log file would never be answered.
    ///
    /// - Parameter warning: What is about to happen: what follows "This", without a full stop.
    /// - Throws: ``CommandError`` when the answer is anything else, or when there is no terminal.
    static func ask(_ warning: String) throws {
        try ask(warning, while: { true })
    }

    /// Asks in the middle of a run, which a signal can end while the question is open.
    ///
    /// - Parameter warning: What is about to happen: what follows "This", without a full stop.
    /// - Throws: ``CommandError`` when the answer is anything else than yes, or when there is no terminal;
    ///   `CancellationError`.
    static func askDuringRun(_ warning: String) async throws {
        let isOpen = Atomic(true)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                // Not on a thread that tasks need.
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result { try ask(warning, while: { isOpen.load(ordering: .relaxed) }) }
                    )
                }
            }
        } onCancel: {
            isOpen.store(false, ordering: .relaxed)
        }
    }

    private static func ask(_ warning: String, while isOpen: () -> Bool) throws {
        let question = "This \(warning.escapedForTerminal). Continue? [y/N] "
        guard isatty(STDIN_FILENO) == 1, try show(question) else {
            throw CommandError(
                .usage,
                "there is no terminal to ask for a confirmation: this \(warning)",
                hint: "pass --yes to skip the confirmation",
                effect: .nothingChanged
            )
        }
        try waitForAnswer(while: isOpen)
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else {
            throw CommandError(.notConfirmed, "not confirmed", effect: .nothingChanged)
        }
    }

    /// Waits until a line was typed, which a thread that reads could not be woken up from.
    private static func waitForAnswer(while isOpen: () -> Bool) throws {
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 100) <= 0 {
            guard isOpen() else { throw CancellationError() }
        }
    }

    /// - Returns: False when there is nobody to see it.
    private static func show(_ question: String) throws -> Bool {
        if StandardStream.standardError.isTerminal {
            try StandardStream.standardError.write(question)
            return true
        }
        guard let terminal = try? FileDescriptor.open("/dev/tty", .writeOnly) else {
            return false
        }
        return try terminal.closeAfter { try terminal.writeAll(question.utf8) > 0 }
    }
}
