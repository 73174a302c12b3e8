import CLibpq

/// A result of libpq, freed when it goes out of scope.
@safe
struct LibpqResult: ~Copyable {
    private let pointer: OpaquePointer

    /// Takes over a result.
    ///
    /// - Parameter pointer: What PQgetResult returned; nil if there are no more results.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQclear(pointer)
    }

    /// What kind of result it is.
    var status: ExecStatusType {
        unsafe PQresultStatus(pointer)
    }

    /// The command tag, for example `COPY 5`.
    var commandTag: String {
        unsafe PQcmdStatus(pointer).map { unsafe String(cString: $0) } ?? ""
    }

    /// The number of rows in the command tag, if it has one.
    var affectedRows: Int? {
        unsafe PQcmdTuples(pointer).flatMap { Int(unsafe String(cString: $0)) }
    }

    /// All rows and columns, copied.
    func rows() -> QueryResult {
        let columnCount = unsafe PQnfields(pointer)
        let rowCount = unsafe PQntuples(pointer)
        var cells: [String?] = []
        cells.reserveCapacity(Int(columnCount) * Int(rowCount))
        for row in 0..<rowCount {
            for column in 0..<columnCount {
                cells.append(value(row: row, column: column))
            }
        }
        let columns = (0..<columnCount).map { columnName($0) }
        return QueryResult(columns: columns, cells: cells, rowCount: Int(rowCount))
    }

    /// The columns of a described statement.
    func columns() -> [ColumnDescription] {
        (0..<(unsafe PQnfields(pointer))).map { column in
            let table = unsafe PQftable(pointer, column)
            let number = unsafe PQftablecol(pointer, column)
            return ColumnDescription(
                name: columnName(column),
                typeOID: unsafe PQftype(pointer, column),
                tableOID: table == 0 ? nil : table,
                columnNumber: number == 0 ? nil : Int(number)
            )
        }
    }

    /// The error that the result reports.
    func error() -> PostgresError {
        var error = PostgresError(.serverError, "the server reported an error without a message")
        if let message = field("M") {
            error.message = message
        } else if let message = unsafe PQresultErrorMessage(pointer).map({ unsafe String(cString: $0) }),
            !message.isEmpty
        {
            // An error of libpq itself, for example a broken connection.
            error.message = LibpqMessage.tidied(message)
        }
        error.sqlState = field("C")
        error.detail = field("D")
        error.hint = field("H")
        error.context = field("W")
        error.removeRowValues()
        error.schemaName = field("s")
        error.tableName = field("t")
        error.columnName = field("c")
        error.dataTypeName = field("d")
        error.constraintName = field("n")
        error.position = field("P").flatMap { Int($0) }
        error.sourceFunction = field("R")
        return error
    }

    private func columnName(_ column: Int32) -> String {
        unsafe PQfname(pointer, column).map { unsafe String(cString: $0) } ?? ""
    }

    private func value(row: Int32, column: Int32) -> String? {
        guard unsafe PQgetisnull(pointer, row, column) == 0, let bytes = unsafe PQgetvalue(pointer, row, column) else {
            return nil
        }
        let length = Int(unsafe PQgetlength(pointer, row, column))
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: length)
        return unsafe String(decoding: buffer, as: UTF8.self)
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        unsafe Self.field(code, of: pointer)
    }

    /// A field of an error or notice.
    ///
    /// - Parameters:
    ///   - code: The field's letter, PG_DIAG_… in postgres_ext.h; Swift does not import C's character constants.
    ///   - result: A live result.
    /// - Returns: The field's text, if the server sent one.
    @unsafe
    static func field(_ code: Unicode.Scalar, of result: OpaquePointer) -> String? {
        unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) }
    }

    /// A notice as the server sent it.
    ///
    /// - Parameter result: A live result that a notice receiver got.
    /// - Returns: The notice.
    @unsafe
    static func notice(_ result: OpaquePointer) -> Notice {
        unsafe Notice(
            severity: field("V", of: result) ?? field("S", of: result) ?? "NOTICE",
            message: field("M", of: result) ?? LibpqMessage.tidied(String(cString: PQresultErrorMessage(result))),
            sqlState: field("C", of: result),
            detail: field("D", of: result),
            hint: field("H", of: result),
            context: field("W", of: result)
        )
    }
}
