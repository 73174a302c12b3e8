import Databudgie
import Foundation
import Testing

@testable import struct Databudgie.JobFailure
@testable import DatabudgieCLI

@Suite("Events for machines")
struct EventJSONTests {
    private let time = Date(timeIntervalSince1970: 1_767_323_045)

    @Test("Events have the keys that scripts rely on")
    func keys() {
        #expect(
            EventJSON.line(.started(.sales), at: time)
                == #"{"event":"started","number":1,"table":"public.sales","time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.line(.progressed(.sales, .small), at: time)
                == #"{"bytes":45600,"event":"progressed","file_bytes":12000,"number":1,"rows":1200,"#
                + #""table":"public.sales","time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.line(.finished(.products), at: time)
                == #"{"bytes":45600,"event":"finished","file_bytes":12000,"number":0,"#
                + #""path":"backups/public.products/2026-01-02T03:04:05.csv.gz","rows":1200,"seconds":0.12,"#
                + #""table":"public.products","time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.line(.skipped(SkippedJob(.sales, reason: "it exists")), at: time)
                == #"{"event":"skipped","number":1,"reason":"it exists","table":"public.sales","#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.summary(.example(), at: time)
                == #"{"action":"backup","bytes":98811032,"dry_run":false,"event":"summary","failed":0,"#
                + #""file_bytes":23468789,"finished":2,"rows":1235767,"seconds":2.7,"skipped":0,"#
                + #""status":"complete","time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.summary(.example(set: "2026-01-02T03:04:05"), at: time).contains(
                #""seconds":2.7,"set":"2026-01-02T03:04:05","skipped":0,"#
            )
        )
    }

    @Test("The set of a restore is named, with its age and the number of its tables")
    func set() {
        let set = RestoredSet(id: "2026-01-02T03:04:05", age: .seconds(691_200), tables: 12)
        #expect(
            EventJSON.line(.restoring(set), at: time)
                == #"{"age_seconds":691200,"event":"restoring","set":"2026-01-02T03:04:05","table_count":12,"#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            PlainLine.restoring(set, style: .plain)
                == "databudgie: restoring the set 2026-01-02T03:04:05 (8 d old, 12 tables)"
        )
        let unknown = RestoredSet(id: "x", age: nil, tables: 1)
        #expect(PlainLine.restoring(unknown, style: .plain) == "databudgie: restoring the set x (1 table)")
    }

    @Test("The plan names its tables, with an estimate where there is one")
    func plan() {
        let line = EventJSON.line(examplePlan, at: time)
        #expect(line.hasPrefix(#"{"action":"backup","event":"planned","tables":[{"estimated_rows":1200,"#))
        #expect(
            line.contains(#"{"location":"backups/public.customers/a.csv.gz","number":2,"table":"public.customers"}"#)
        )
    }

    @Test("An event stays on one line and harmless to a terminal, whatever its message holds")
    func oneLine() throws {
        let message = "a\nb\u{1B}[0m\"c\"\u{9B}2J\u{202E}\u{2028}é"
        let line = EventJSON.line(.failed(JobFailure(.sales, message: message)), at: time)
        for character in ["\n", "\u{1B}", "\u{9B}", "\u{202E}", "\u{2028}"] {
            #expect(!line.unicodeScalars.contains { String($0) == character })
        }
        #expect(line.contains("é"))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == "public.sales: " + message)
    }

    @Test("Failures, warnings and errors have a hint where there is one")
    func hints() {
        #expect(
            EventJSON.line(.failed(.sales), at: time)
                == #"{"event":"failed","hint":"grant SELECT on the table","#
                + #""message":"public.sales: permission denied","number":1,"table":"public.sales","#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
        let warning = Finding(.warning, "its rows are old", table: "public.sales", hint: "run ANALYZE")
        #expect(
            EventJSON.line(.found(warning), at: time)
                == #"{"event":"warning","hint":"run ANALYZE","message":"public.sales: its rows are old","#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.line(.note("a detail"), at: time)
                == #"{"event":"detail","message":"a detail","time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.error(Message("no", hint: "try again"), effect: .nothingChanged, at: time)
                == #"{"effect":"nothing_changed","event":"error","hint":"try again","message":"no","#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
    }
}
