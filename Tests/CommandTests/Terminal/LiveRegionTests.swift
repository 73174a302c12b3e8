import Testing

@testable import DatabudgieCLI

@Suite("Lines that are drawn over")
struct LiveRegionTests {
    @Test("The cursor goes back over as many lines as were drawn")
    func redraw() {
        var region = LiveRegion()
        #expect(region.redraw(["one", "two"], width: 80) == "one\u{1B}[K\ntwo\u{1B}[K\n\u{1B}[J")
        #expect(region.redraw(["three"], width: 80) == "\r\u{1B}[2Athree\u{1B}[K\n\u{1B}[J")
        #expect(region.clear(width: 80) == "\r\u{1B}[1A\u{1B}[J")
        #expect(region.clear(width: 80).isEmpty)
    }

    @Test("Lines that a narrower terminal has wrapped are counted, colours aside")
    func resize() {
        var region = LiveRegion()
        _ = region.redraw([TextStyle.color.red(String(repeating: "x", count: 50)), "short"], width: 80)
        #expect(region.clear(width: 20) == "\r\u{1B}[4A\u{1B}[J")
    }
}
