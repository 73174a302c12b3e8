public import Foundation

/// Everything that one backup has written: the JSON file that makes its files a set.
///
/// The layout is described in Documentation/set-record.schema.json. Paths are relative to the folder that holds the set
/// catalog, or absolute where a file is not below it.
public struct SetRecord: Sendable, Codable, Equatable {
    /// The format that this version writes, and the newest that it reads.
    public static let currentFormat = 1

    /// The version of the record's layout.
    public var format = SetRecord.currentFormat
    /// The moment of the run as its file names carry it, unique in its catalog: `2026-11-26T03:00:00`.
    public var id: String
    /// What wrote it: `databudgie 3.0.0`.
    public var tool: String
    /// Whether everything that was asked for is there.
    public var status: Status
    /// Whether all rows are from one moment.
    public var consistency: Consistency
    /// When the run began, in whole seconds.
    public var startedAt: Date
    /// When the last file was complete, in whole seconds.
    public var finishedAt: Date
    /// The database that was read; nil for a set that was adopted from files.
    public var source: Source?
    /// SHA-256 of the backup's settings as `databudgie config backup` prints them, in hexadecimal digits; nil when unknown.
    public var config: String?
    /// What was asked for, so that a table that is missing can be told from one that was not asked for; nil when unknown.
    public var entries: [Entry]?
    /// Sums over all tables, so that a list needs nothing else.
    public var totals: Totals
    /// How columns were masked; nil when nothing was.
    public var masking: Masking?
    /// The tables and queries, in the order of the run.
    public var tables: [Table]
    /// The files with definitions.
    public var definitions: [File]
    /// The foreign keys among the tables.
    public var foreignKeys: [ForeignKey]
    /// The tables that failed.
    public var failures: [Failure]
    /// What the run warned of: what was left out is among it.
    public var warnings: [String]
    /// The set whose files have replaced files of this one; nil while all of them are its own.
    public var supersededBy: String?
    /// Which rows of the tables it has; nil: all.
    public var subset: Subset?

    /// Whether everything that was asked for is there.
    public enum Status: String, Sendable, Codable {
        /// No table failed.
        case complete
        /// Tables failed, or the run was interrupted.
        case partial
    }

    /// Whether all rows are from one moment.
    public enum Consistency: String, Sendable, Codable {
        /// All rows are from one snapshot of the database.
        case snapshot
        /// Files of several moments.
        case mixed
    }

    /// Sums over all tables of a set.
    public struct Totals: Sendable, Codable, Equatable {
        /// Tables and queries with data files.
        public var tables: Int
        /// Rows in all data files; nil when files were adopted unread.
        public var rows: Int?
        /// Bytes of CSV, uncompressed; nil when files were adopted unread.
        public var bytes: Int64?
        /// Bytes of all files of the set, as stored.
        public var fileBytes: Int64

        enum CodingKeys: String, CodingKey {
            case tables, rows, bytes
            case fileBytes = "file_bytes"
        }
    }

    /// A named entry of the configuration's `tables`.
    public struct Entry: Sendable, Codable, Equatable {
        /// The name or glob, as it is written.
        public var name: String
        /// The globs of what it leaves out; nil when it leaves nothing out.
        public var exclude: [String]?
    }

    enum CodingKeys: String, CodingKey {
        case format, id, tool, status, consistency, source, config, entries, totals, subset, masking, tables,
            definitions, failures, warnings
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case foreignKeys = "foreign_keys"
        case supersededBy = "superseded_by"
    }
}

extension SetRecord {
    /// The database that a set was read from.
    public struct Source: Sendable, Codable, Equatable {
        /// The name of the database.
        public var database: String
        /// The server's version: `15.18`.
        public var serverVersion: String
        /// What tells the server's data from that of all others (`pg_control_system`); nil when the role may not ask.
        public var systemIdentifier: String?
        /// The database's encoding: `UTF8`.
        public var encoding: String
        /// What the run saw (`pg_current_snapshot`); nil when the server does not say.
        public var snapshot: String?
        /// The position in the write-ahead log, no later than the rows: `0/16B3748`; nil when the role may not ask.
        public var walPosition: String?

        enum CodingKeys: String, CodingKey {
            case database, encoding, snapshot
            case serverVersion = "server_version"
            case systemIdentifier = "system_identifier"
            case walPosition = "wal_position"
        }
    }

    /// A table or a query of a set.
    public struct Table: Sendable, Codable, Equatable {
        /// The table's schema; nil for a query under a name of its own, or without one.
        public var schema: String?
        /// The table's name, or the one that the configuration gives to a query; nil for a query without one.
        public var name: String?
        /// The query that was exported; nil when all rows of the table were.
        public var query: String?
        /// The columns, in the order of the file.
        public var columns: [Column]
        /// Rows in the data file, without the header; nil when it was adopted unread.
        public var rows: Int?
        /// Bytes of CSV, uncompressed; nil when the file was adopted unread.
        public var bytes: Int64?
        /// The data file; nil when only the values of sequences are part of the set.
        public var file: DataFile?
        /// The file with the values of the table's sequences.
        public var sequencesFile: File?
        /// The values of the table's sequences.
        public var sequences: [RecordedSequence]
        /// How many of its rows are chosen, and how many are there because others refer to them; nil without a subset.
        public var subset: SubsetCount?
        /// The names of its CHECK and NOT NULL constraints that its rows may violate (NOT VALID); nil without any.
        public var notValid: [String]?

        enum CodingKeys: String, CodingKey {
            case schema, name, query, columns, rows, bytes, file, sequences, subset
            case sequencesFile = "sequences_file"
            case notValid = "not_valid"
        }
    }

    /// A column of a data file.
    public struct Column: Sendable, Codable, Equatable {
        /// The name, as in the file's header.
        public var name: String
        /// The type with its modifiers, as the server writes it: `numeric(10,2)`.
        public var type: String
        /// The column refuses nulls; nil when it does not, or for a query.
        public var notNull: Bool?
        /// The server computes it; nil when it does not.
        public var generated: Bool?
        /// The column is an identity; nil when it is not.
        public var identity: Bool?
        /// The mask in place of its values; nil when they are as they were.
        public var mask: String?

        enum CodingKeys: String, CodingKey {
            case name, type, generated, identity, mask
            case notNull = "not_null"
        }
    }

    /// How the columns of a set were masked.
    public struct Masking: Sendable, Codable, Equatable {
        /// What became of columns without a rule: `strict` or `open`.
        public var policy: String
        /// Equal ids mean that equal values have equal masks; it does not reveal the key.
        public var keyID: String
        /// The version of the lists of names.
        public var lists: Int
        /// Columns that no rule masks or keeps.
        public var unclassified: Int
        /// A hash of all rules, `sha256:…`: an expression or a value may hold personal data.
        public var rules: String?

        enum CodingKeys: String, CodingKey {
            case policy, lists, unclassified, rules
            case keyID = "key_id"
        }
    }

    /// The file with the rows of a table.
    public struct DataFile: Sendable, Codable, Equatable {
        /// Where it is.
        public var path: String
        /// Its size, in bytes.
        public var bytes: Int64
        /// `gzip` or `zstd`; nil for plain CSV.
        public var compression: String?
        /// Its segments, in its order; nil when it was adopted unread.
        public var segments: [Segment]?
    }

    /// A run of whole rows inside a data file.
    public struct Segment: Sendable, Codable, Equatable {
        /// The position of its first byte in the file, in bytes.
        public var offset: Int64
        /// Its size in the file, in bytes.
        public var bytes: Int64
        /// The size of its content after decompression, in bytes.
        public var uncompressedBytes: Int64
        /// Its rows, the header among them in the first one.
        public var rows: Int
        /// SHA-256 of its stored bytes, in hexadecimal digits.
        public var sha256: String

        enum CodingKeys: String, CodingKey {
            case offset, bytes, rows, sha256
            case uncompressedBytes = "uncompressed_bytes"
        }
    }

    /// A file that is read as a whole.
    public struct File: Sendable, Codable, Equatable {
        /// Where it is.
        public var path: String
        /// Its size, in bytes.
        public var bytes: Int64
        /// SHA-256 of its bytes, in hexadecimal digits; nil when it was adopted unread.
        public var sha256: String?
    }

    /// The value of a sequence.
    public struct RecordedSequence: Sendable, Codable, Equatable {
        /// The sequence's schema.
        public var schema: String
        /// The sequence's name.
        public var name: String
        /// The last value that was given out, or the first one to be given out.
        public var lastValue: Int64
        /// False when the next value is the last value itself, as in a new sequence.
        public var isCalled: Bool

        enum CodingKeys: String, CodingKey {
            case schema, name
            case lastValue = "last_value"
            case isCalled = "is_called"
        }
    }

    /// A foreign key between two tables of a set.
    public struct ForeignKey: Sendable, Codable, Equatable {
        /// The constraint's name.
        public var name: String
        /// The full name of the table that has the constraint, `schema.name`.
        public var table: String
        /// The full name of the table that it points to.
        public var references: String
        /// The database did not vouch for its rows (NOT VALID); nil when it did.
        public var notValid: Bool?
        /// A subset has not followed it, so rows may refer to rows that are not part of the set; nil when it has.
        public var ignored: Bool?
        /// How many rows of the set refer to no row of the database; nil when they were not counted.
        public var orphans: Int?

        enum CodingKeys: String, CodingKey {
            case name, table, references, ignored, orphans
            case notValid = "not_valid"
        }
    }

    /// A table that failed.
    public struct Failure: Sendable, Codable, Equatable {
        /// The full name of the table, or of the query.
        public var table: String
        /// What happened, without a value of a row.
        public var message: String
    }
}
