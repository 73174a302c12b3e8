import Synchronization

/// Sends a notification in the form that its receiver takes.
struct NotificationSending: Sendable {
    /// The environment: it may name a proxy, and commands inherit it.
    let variables: [String: String]
    /// How long one notification may take, with all attempts.
    let limit: Duration
    /// How long it takes until the next attempt.
    let pause: Duration

    /// How often a server is asked that cannot be reached, or is in trouble.
    private static let attempts = 3

    /// Sends a notification.
    ///
    /// - Returns: Why it was not delivered; nil when it was.
    func send(
        _ event: NotificationTarget.Event,
        _ summary: RunSummary,
        to target: NotificationTarget
    ) async -> SendingProblem? {
        let json = Array(summary.json.utf8)
        switch target.receiver {
        case .healthchecks(let url):
            let component: String? =
                switch event {
                case .start: "start"
                case .success: nil
                case .failure: "fail"
                }
            return await post(json, "application/json", url, to: url.text(appending: component), target.headers)
        case .url(let url, .json):
            return await post(json, "application/json", url, to: url.text(), target.headers)
        case .url(let url, .text):
            let text = Array((summary.text ?? "").utf8)
            return await post(text, "text/plain; charset=utf-8", url, to: url.text(), target.headers)
        case .command(let arguments):
            let command = NotificationCommand(arguments: arguments, variables: variables, limit: limit)
            return await command.run(event, summary, input: json)
        }
    }

    private func post(
        _ body: [UInt8],
        _ type: String,
        _ url: NotificationURL,
        to address: String,
        _ ownHeaders: [String: String]
    ) async -> SendingProblem? {
        var headers = ["content-type": type]
        headers["authorization"] = url.authorization
        for (name, value) in ownHeaders { headers[name.lowercased()] = value }
        let (all, last) = (headers, LastProblem())
        do {
            let outcome = try await HTTPDelivery.with(address, variables: variables, limit: limit) { delivery in
                await attempts(delivery, body, all, to: address, last)
            }
            if let problem = outcome { return problem }
            return last.problem
                ?? SendingProblem(message: "the server did not answer in time", hint: Self.hint("and the network"))
        } catch {
            let text = ErrorText(error)
            return SendingProblem(message: text.message, hint: text.hint ?? Self.hint("and the network"))
        }
    }

    private func attempts(
        _ delivery: HTTPDelivery,
        _ body: [UInt8],
        _ headers: [String: String],
        to address: String,
        _ last: LastProblem
    ) async -> SendingProblem? {
        for attempt in 1...Self.attempts {
            let isWorthRepeating: Bool
            do {
                let status = try await delivery.post(body, headers: headers, to: address)
                if (200..<300).contains(status) { return nil }
                last.problem = SendingProblem(
                    message: "the server answered with status \(status)",
                    hint: Self.hint(for: status)
                )
                isWorthRepeating = status == 429 || status >= 500
            } catch {
                guard !Task.isCancelled else { break }
                last.problem = SendingProblem(
                    message: DeliveryFailure(error, to: address).message,
                    hint: Self.hint("and the network")
                )
                isWorthRepeating = true
            }
            guard isWorthRepeating, attempt < Self.attempts else { break }
            try? await Task.sleep(for: pause)
        }
        return last.problem
    }

    private static func hint(for status: UInt) -> String {
        switch status {
        case 300..<400: "write the URL that it redirects to"
        case 429: "check the server's rate limits"
        case 400..<500: hint("and its headers")
        default: "check the server's log"
        }
    }

    private static func hint(_ rest: String) -> String { "check its URL under 'notify' \(rest)" }
}

/// Why the last attempt failed, even if the time was up during the next one.
private final class LastProblem: Sendable {
    private let state = Mutex<SendingProblem?>(nil)

    var problem: SendingProblem? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
