import Testing

@testable import Databudgie

/// Unicode has the capital S and I for `ſ` and `ı` as well, the server's key words have not.
@Suite("Key words of SQL")
struct KeyWordTests {
    @Test("Only ASCII letters make a key word")
    func names() {
        #expect(SQLStatements.keywords("create ſchema ı", limit: 3) == ["CREATE", "ſCHEMA", "ı"])
    }

    @Test("A name that looks like CASE in capitals opens nothing in the body of a function")
    func bodies() {
        let function = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT caſe FROM t; END;"
        #expect(SQLStatements.split(Array((function + "\nSELECT 1;").utf8)) == [function, "SELECT 1;"])
    }

    @Test("A name that looks like ATOMIC in capitals begins no body")
    func beginnings() {
        let statements = ["CREATE FUNCTION f() RETURNS int BEGIN atomıc AS 'x';", "SELECT 1;"]
        #expect(SQLStatements.split(Array(statements.joined(separator: "\n").utf8)) == statements)
    }
}
