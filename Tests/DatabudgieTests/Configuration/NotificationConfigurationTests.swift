import Foundation
import Testing

@testable import Databudgie

@Suite("Notifications in a configuration")
struct NotificationConfigurationTests {
    private func targets(_ yaml: String, environment: [String: String] = [:]) throws -> [NotificationTarget] {
        try configuration(yaml, environment: environment).backup.run.notifications
    }

    @Test("A receiver is a check, a URL or a command, of all events unless it names some")
    func forms() throws {
        let check = try #require(NotificationURL("https://hc-ping.com/1234"))
        let hook = try #require(NotificationURL("http://chat.example.com:8080/hook?key=1"))
        #expect(try targets("{}") == [])
        #expect(
            try targets("notify: {healthchecks: https://hc-ping.com/1234}") == [
                NotificationTarget(.healthchecks(check))
            ]
        )
        #expect(
            try targets(
                """
                notify:
                  - healthchecks: https://hc-ping.com/1234
                    events: [start, failure]
                  - {url: "http://chat.example.com:8080/hook?key=1", headers: {Authorization: Bearer t, X-Level: 3}}
                  - {url: "http://chat.example.com:8080/hook?key=1", format: text, events: failure}
                  - {command: [/bin/sh, -c, "cat >x", 7], events: [success]}
                """
            ) == [
                NotificationTarget(.healthchecks(check), events: [.start, .failure]),
                NotificationTarget(.url(hook, .json), headers: ["Authorization": "Bearer t", "X-Level": "3"]),
                NotificationTarget(.url(hook, .text), events: [.failure]),
                NotificationTarget(.command(["/bin/sh", "-c", "cat >x", "7"]), events: [.success]),
            ]
        )
    }

    @Test("The nearest level counts as a whole, for its command; what is null or empty notifies nobody")
    func levels() throws {
        let yaml = """
            notify: {healthchecks: https://root}
            backup: {notify: [{url: https://backup}]}
            """
        let loaded = try configuration(yaml)
        #expect(loaded.backup.run.notifications.map(\.description) == ["backup"])
        #expect(loaded.restore.run.notifications.map(\.description) == ["root"])
        #expect(try targets("{notify: {url: https://root}, backup: {notify: null}}") == [])
        #expect(try targets("{notify: {url: https://root}, backup: {notify: []}}") == [])
        for value in ["null", "''", "'<% ENV[PING, null] %>'"] {
            #expect(try targets("notify: [{healthchecks: \(value)}, {url: \(value)}, {command: null}]") == [])
        }
    }

    @Test("It can be an environment variable, and what a command is told is none")
    func variables() throws {
        let variables = [
            "DATABUDGIE_BACKUP__NOTIFY__HEALTHCHECKS": "https://hc-ping.com/1", "DATABUDGIE_EVENT": "start",
            "DATABUDGIE_ACTION": "backup", "DATABUDGIE_TEXT": "backup has begun",
        ]
        let loaded = try configuration("{}", environment: variables)
        #expect(loaded.backup.run.notifications.map(\.description) == ["hc-ping.com"])
        #expect(loaded.restore.run.notifications == [])
        #expect(loaded.warnings.isEmpty)
    }

    @Test(
        "What cannot be is an error with its line, which repeats no address",
        arguments: [
            (
                "https://hc-ping.com/secret",
                "'notify' must be a mapping or a list of mappings, not a string; write 'healthchecks: URL', 'url: URL' or "
                    + "'command: [PROGRAM, ARGUMENT]' below it"
            ),
            ("[https://secret]", "an entry of 'notify' must be a mapping, not a string"),
            (
                "{events: start}",
                "an entry of 'notify' names nobody to notify; give one of healthchecks, url, command"
            ),
            (
                "{url: https://secret, command: [x]}",
                "'url' and 'command' exclude each other in an entry of 'notify'; write an entry for each"
            ),
            ("{ulr: https://secret, url: https://secret}", "unknown key 'ulr' in 'notify'; did you mean 'url'?"),
            ("{healthchecks: secret}", "'healthchecks' in 'notify' is not a URL; write it as https://host/path"),
            ("{url: 'ftp://h/secret'}", "'url' in 'notify' is not a URL; write it as https://host/path"),
            ("{url: 'https://h/a secret'}", "'url' in 'notify' is not a URL; write it as https://host/path"),
            ("{url: [https://secret]}", "'url' must be a string, not a list"),
            (
                "{command: mail secret}",
                "'command' must be a list, not a string; write the program and each argument apart, or a shell: "
                    + "[/bin/sh, -c, …]"
            ),
            (
                "{command: []}",
                "'command' is not the name of a program and its arguments; write it as [PROGRAM, ARGUMENT]"
            ),
            (
                "{command: ['', secret]}",
                "'command' is not the name of a program and its arguments; write it as [PROGRAM, ARGUMENT]"
            ),
            ("{command: [x], events: fail}", "'events' cannot be 'fail'; did you mean 'failure'?"),
            ("{command: [x], events: [ended]}", "'events' cannot be 'ended'; use one of start, success, failure"),
            ("{command: [x], events: []}", "'events' in 'notify' is empty; name some of start, success, failure"),
            ("{command: [x], headers: {A: b}}", "'headers' has no effect with 'command'; remove it"),
            ("{healthchecks: https://secret, format: text}", "'format' has no effect with 'healthchecks'; remove it"),
            ("{url: https://secret, format: xml}", "'format' cannot be 'xml'; use one of json, text"),
            ("{url: https://secret, headers: [a]}", "'headers' must be a mapping, not a list"),
            (
                "{url: https://secret, headers: {'A: b': c}}",
                "'headers' has a name that no header can have; use letters, digits and dashes; the length of the body is "
                    + "added by itself"
            ),
            (
                "{url: https://secret, headers: {A: \"b\\r\\nC: d\"}}",
                "the header 'A' has a line break or another control character; remove it"
            ),
            (
                "{url: https://secret, headers: {x-key: a}}",
                "the header 'x-key' is ignored, because keys that begin with 'x-' are notes; write it with a capital X"
            ),
        ]
    )
    func problems(value: String, problem: String) {
        for level in ["notify: \(value)", "backup: {notify: \(value)}"] {
            let lines = DatabudgieTests.problems("\n" + level)
            #expect(lines == ["test.yaml:2: \(problem)"])
            #expect(lines.allSatisfy { !$0.contains("secret") })
        }
    }

    @Test("No address, header or argument is printed, and what is printed can be read again")
    func printed() throws {
        let yaml = """
            notify:
              - healthchecks: https://user:hidden@hc-ping.com/hidden?hidden
                events: start
              - {url: "https://h", format: text, headers: {Authorization: hidden}}
              - {command: [mail, hidden, "hidden"], events: [failure]}
            """
        let loaded = try configuration(yaml)
        let printed = ConfigurationPrinter().yaml(loaded)
        var dumped = ""
        dump(loaded, to: &dumped)
        for text in [printed, dumped, "\(loaded)", String(reflecting: loaded)] { #expect(!text.contains("hidden")) }
        #expect(printed.contains("healthchecks: https://hc-ping.com/***\n"))
        #expect(printed.contains("- mail\n"))
        let again = try configuration(printed).backup.run.notifications
        #expect(again.map(\.events) == loaded.backup.run.notifications.map(\.events))
        #expect(again.map(\.description) == ["hc-ping.com", "h", "the command mail"])
        #expect(again[1].receiver == loaded.backup.run.notifications[1].receiver)
    }

    @Test("The examples of the guide can be read")
    func guide() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let guide = try String(contentsOf: root.appending(path: "Documentation/notifications.md"), encoding: .utf8)
        let examples = guide.split(separator: "```yaml\n").dropFirst().compactMap { $0.split(separator: "```").first }
            .map(String.init).filter { $0.contains("notify:") }
        #expect(examples.count == 3)
        let variables = ["PING_KEY": "k", "HOOK": "h", "NTFY_TOKEN": "t"]
        for example in examples {
            let loaded = try configuration(example, environment: variables)
            #expect(!loaded.backup.run.notifications.isEmpty)
            #expect(loaded.warnings.isEmpty)
        }
    }

    @Test(
        "A component is put behind the path, whatever follows it",
        arguments: [
            ("https://hc-ping.com/1234", "https://hc-ping.com/1234", "https://hc-ping.com/1234/fail"),
            ("https://hc-ping.com/1234/", "https://hc-ping.com/1234", "https://hc-ping.com/1234/fail"),
            (
                "HTTP://[::1]:8000/ping/a%2Fb?create=1", "http://[::1]:8000/ping/a%2Fb?create=1",
                "http://[::1]:8000/ping/a%2Fb/fail?create=1"
            ),
            ("https://me:pass@h", "https://h/", "https://h/fail"),
        ]
    )
    func components(text: String, whole: String, failure: String) throws {
        let url = try #require(NotificationURL(text))
        #expect(url.text() == whole)
        #expect(url.text(appending: "fail") == failure)
        #expect(url.authorization == (text.contains("me:pass@") ? "Basic bWU6cGFzcw==" : nil))
    }
}
