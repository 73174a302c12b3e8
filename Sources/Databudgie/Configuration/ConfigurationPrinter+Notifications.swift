import Yams

extension ConfigurationPrinter {
    /// The receivers of notifications, without what may be a secret.
    func notify(_ targets: [NotificationTarget]) -> Node {
        list(targets.map(notify))
    }

    private func notify(_ target: NotificationTarget) -> Node {
        var pairs: [Pair]
        switch target.receiver {
        case .healthchecks(let url):
            pairs = [("healthchecks", text(url.description))]
        case .url(let url, let format):
            pairs = [("url", text(url.description)), ("format", text(format.rawValue))]
        case .command(let arguments):
            let shown = arguments.prefix(1) + arguments.dropFirst().map { _ in Self.mask }
            pairs = [("command", list(shown.map { text($0) }))]
        }
        let events = NotificationTarget.Event.allCases.filter(target.events.contains)
        pairs.append(("events", list(events.map { text($0.rawValue) })))
        if !target.headers.isEmpty {
            pairs.append(("headers", mapping(target.headers.keys.sorted().map { ($0, text(Self.mask)) })))
        }
        return mapping(pairs)
    }
}
