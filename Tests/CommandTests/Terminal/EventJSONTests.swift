import Databudgie
import Foundation
import Testing

@testable import struct Databudgie.RunReport
@testable import struct Databudgie.TransferTotals
@testable import DatabudgieCLI

@Suite("Events for machines")
struct EventJSONTests {
    private let time = Date(timeIntervalSince1970: 1_767_323_045)

    @Test("have the keys that scripts rely on")
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
            EventJSON.line(.skipped(.sales, reason: "it exists"), at: time)
                == #"{"event":"skipped","number":1,"reason":"it exists","table":"public.sales","#
                + #""time":"2026-01-02T03:04:05Z"}"#
        )
        #expect(
            EventJSON.summary(.example(), at: time)
                == #"{"action":"backup","bytes":98811032,"dry_run":false,"event":"summary","failed":0,"#
                + #""file_bytes":23468789,"finished":2,"rows":1235767,"seconds":2.7,"skipped":0,"#
                + #""status":"complete","time":"2026-01-02T03:04:05Z"}"#
        )
    }

    @Test("name the planned tables, with an estimate where there is one")
    func plan() {
        let line = EventJSON.line(examplePlan, at: time)
        #expect(line.hasPrefix(#"{"action":"backup","event":"planned","tables":[{"estimated_rows":1200,"#))
        #expect(
            line.contains(#"{"location":"backups/public.customers/a.csv.gz","number":2,"table":"public.customers"}"#)
        )
    }

    @Test("stay on one line whatever a message holds")
    func oneLine() throws {
        let line = EventJSON.line(.failed(.sales, message: "a\nb\u{1B}[0m\"c\""), at: time)
        #expect(!line.contains("\n"))
        #expect(!line.contains("\u{1B}"))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == "a\nb\u{1B}[0m\"c\"")
    }
}
