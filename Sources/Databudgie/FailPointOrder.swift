#if DATABUDGIE_FAIL_POINTS
    import Foundation
    import Synchronization

    /// What `DATABUDGIE_FAIL_POINT` asks for: `POINT:SIGNAL`, or `POINT:SIGNAL:COUNT` for the time that the count says.
    ///
    /// The program sends itself the signal: `kill`; `term`; or `int-twice`, the second one when the first has arrived.
    struct FailPointOrder: Sendable {
        /// How the program ends.
        enum Ending: String, Sendable, CaseIterable {
            /// At once: SIGKILL.
            case kill
            /// By SIGTERM; the run continues here when the signal has arrived, and cleans up.
            case term
            /// At once, by SIGINT and another SIGINT.
            case intTwice = "int-twice"
        }

        let point: FailPoint
        let ending: Ending
        /// From 1.
        let count: Int

        private static let passes = Atomic<Int>(0)

        /// The order of this process; nil when there is none.
        static let current = parsed(ProcessInfo.processInfo.environment["DATABUDGIE_FAIL_POINT"])

        /// A mistake ends the program: a test that waits for another end must not pass.
        private static func parsed(_ text: String?) -> FailPointOrder? {
            guard let text else { return nil }
            let parts = text.split(atByte: ":")
            guard let point = FailPoint.allCases.first(where: { "\($0)" == parts[0] }), (2...3).contains(parts.count),
                let ending = Ending(rawValue: parts[1]), let count = parts.count == 3 ? Int(parts[2]) : 1
            else {
                let message = "DATABUDGIE_FAIL_POINT is not an order: \(text)\n"
                try? FileHandle.standardError.write(contentsOf: Data(message.utf8))
                exit(70)
            }
            return FailPointOrder(point: point, ending: ending, count: count)
        }

        /// Sends the signal, if the point is the one.
        func obey(at point: FailPoint) async {
            guard point == self.point, Self.passes.add(1, ordering: .relaxed).newValue == count else { return }
            switch ending {
            case .kill:
                kill(getpid(), SIGKILL)
            case .term:
                kill(getpid(), SIGTERM)
                await FailPointSignals.wait()
            case .intTwice:
                kill(getpid(), SIGINT)
                await FailPointSignals.wait()
                kill(getpid(), SIGINT)
                // For ever: the signal ends the program.
                await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            }
        }
    }

    /// Lets a fail point wait for its own signal, also in a task that outlives the cancellation.
    package enum FailPointSignals {
        private static let hasArrived = Atomic<Bool>(false)

        /// Says that the program has received a signal, and has cancelled the run.
        package static func arrive() {
            _ = hasArrived.exchange(true, ordering: .releasing)
        }

        /// A program without a handler ends meanwhile.
        fileprivate static func wait() async {
            while !hasArrived.load(ordering: .acquiring) { await Task.yield() }
        }
    }
#endif
