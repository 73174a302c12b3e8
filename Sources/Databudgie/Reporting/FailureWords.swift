import Postgres
import Storage

/// What the kinds of failure are called where their messages are not shared.
enum FailureWords {
    /// Of errors of this library.
    static let ours: [DatabudgieError.Code: String] = [
        .configuration: "the configuration cannot be used",
        .nothingToDo: "nothing in the database matches the configuration",
        .preflight: "the target does not fit the files",
        .database: "the database refused something, or was lost",
        .storage: "the storage refused something, or was lost",
        .dataFile: "a data file cannot be used",
        .countMismatch: "other rows arrived than were sent",
        .internalInconsistency: "databudgie has a defect",
    ]

    /// Of errors of the database.
    static let database: [PostgresError.Code: String] = [
        .connectionFailed: "the database could not be reached",
        .authenticationFailed: "the database refused the user or the password",
        .connectionLost: "the connection to the database was lost",
        .serverError: "the database refused a statement",
        .cancelled: "a statement was cancelled",
        .transactionAborted: "a transaction could not be committed",
        .connectionUnavailable: "a connection to the database could not be used",
        .protocolViolation: "the database gave an answer that was not expected",
        .invalidParameters: "the parameters of the connection, or a statement, cannot be used",
    ]

    /// Of errors of the storage, by the name of their kind.
    static let storage: [String: String] = [
        "notFound": "a file was not found in the storage",
        "alreadyExists": "a file exists already in the storage",
        "noSuchBucket": "the bucket does not exist",
        "invalidPath": "a path of the storage cannot be used",
        "accessDenied": "the storage denied access",
        "archived": "a file is archived, and cannot be read at once",
        "locked": "a file is locked in the storage",
        "noCredentials": "there are no credentials for the storage",
        "wrongCredentials": "the storage refused the credentials",
        "expiredCredentials": "the credentials for the storage have expired",
        "invalidConfiguration": "the settings of the storage cannot be used",
        "clockSkew": "the clocks of the storage and of this machine differ too much",
        "outOfSpace": "there is no space left in the storage",
        "notWritable": "the storage cannot be written to",
        "inputOutput": "reading from or writing to the disk failed",
        "unsafeLink": "a symbolic link in the storage is not followed",
        "changedWhileReading": "a file changed while it was read",
        "truncated": "a file is shorter than it has to be",
        "corrupted": "a file is damaged",
        "conflict": "another program changed the storage at the same time",
        "timedOut": "the storage did not answer in time",
        "unavailable": "the storage could not be reached",
        "untrustedServer": "the certificate of the storage is not trusted",
        "rejected": "the storage rejected a request",
        "unexpectedReply": "the storage gave an answer that was not expected",
    ]

    /// The name of a SQLSTATE, else that of its class (Postgres documentation, appendix A); nil for unknown ones.
    static func sqlState(_ state: String) -> String? { names[state] ?? classNames[String(state.prefix(2))] }

    /// The conditions that a run can meet, by their SQLSTATE.
    private static let names = [
        "08P01": "protocol violation", "22001": "string data right truncation", "22003": "numeric value out of range",
        "22007": "invalid datetime format", "22008": "datetime field overflow", "22012": "division by zero",
        "22021": "character not in repertoire", "22023": "invalid parameter value",
        "22P02": "invalid text representation", "22P03": "invalid binary representation",
        "22P04": "bad COPY file format", "22P05": "untranslatable character", "23502": "not null violation",
        "23503": "foreign key violation", "23505": "unique violation", "23514": "check violation",
        "23P01": "exclusion violation", "25006": "read-only transaction",
        "25P02": "transaction that has failed", "25P03": "idle in transaction session timeout",
        "25P04": "transaction timeout", "28P01": "invalid password", "40001": "serialization failure",
        "40P01": "deadlock detected", "42501": "insufficient privilege", "42601": "syntax error",
        "42703": "undefined column", "42704": "undefined object", "42710": "duplicate object",
        "42803": "grouping error", "42804": "datatype mismatch", "42809": "wrong object type",
        "42883": "undefined function", "428C9": "generated column", "42P01": "undefined table",
        "42P06": "duplicate schema", "42P07": "duplicate table", "42P17": "invalid object definition",
        "53100": "disk full", "53200": "out of memory", "53300": "too many connections",
        "53400": "configuration limit exceeded", "55006": "object in use", "55P03": "lock not available",
        "55P04": "unsafe new enum value usage", "57014": "query cancelled", "57P01": "shutdown by the administrator",
        "57P02": "crash of the server", "57P03": "the server does not accept connections now",
        "57P04": "database dropped", "57P05": "idle session timeout", "58030": "input or output error",
        "P0001": "exception raised by a function", "XX001": "data corrupted", "XX002": "index corrupted",
    ]

    /// The classes of SQLSTATE that a run can meet.
    private static let classNames = [
        "08": "connection exception", "0A": "feature not supported", "21": "cardinality violation",
        "22": "data exception", "23": "integrity constraint violation", "25": "invalid transaction state",
        "27": "triggered data change violation", "28": "invalid authorization", "2B": "dependent objects still exist",
        "3D": "no such database", "3F": "no such schema", "40": "transaction rollback",
        "42": "syntax error or access rule violation", "44": "check option violation", "53": "insufficient resources",
        "54": "program limit exceeded", "55": "object not in prerequisite state", "57": "operator intervention",
        "58": "system error", "72": "snapshot too old", "P0": "PL/pgSQL error", "XX": "internal error of the server",
    ]
}
