/// Keys of a receiver of notifications.
extension ConfigurationKey {
    static let ofNotifications: [ConfigurationKey] = [
        Self(
            "healthchecks",
            url,
            default: nil,
            "the ping URL of a check of healthchecks.io, or of a server that speaks its protocol: `/start` is appended to its path "
                + "when a run begins, `/fail` when it fails"
        ),
        Self("url", url, default: nil, "any URL: the same for every event; give several entries for several URLs"),
        Self(
            "command",
            command,
            default: nil,
            "a program and its arguments, as a list; for a shell write one: `[/bin/sh, -c, …]`"
        ),
        Self("events", events, default: .words("all"), "some of `start`, `success` and `failure`"),
        Self(
            "format",
            .choice(NotificationTarget.Format.self),
            default: .value("json"),
            "with `url`: the summary as JSON, or a single sentence"
        ),
        Self(
            "headers",
            .map(to: KeyForm.secret.schema),
            default: .value("{}"),
            "with `healthchecks` and `url`: headers of the request"
        ),
    ]

    private static let url = KeyForm.text("string", pattern: "^$|^\(KeyForm.anyCase("http"))[Ss]?://[^/]")

    private static let command = KeyForm(
        "list",
        [["type": ["array", "null"], "items": ["type": ["string", "number"]], "minItems": 1], KeyForm.outside]
    )

    private static let events = KeyForm(
        "word or list",
        [
            ["enum": .list(eventWords + [.null])],
            ["type": "array", "items": ["anyOf": [["enum": .list(eventWords)], KeyForm.outside]], "minItems": 1],
            KeyForm.outside,
        ]
    )

    private static let eventWords: [SchemaNode] = NotificationTarget.Event.allCases.map { .text($0.rawValue) }
}
