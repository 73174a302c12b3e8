import Compression
import Postgres
import Storage

/// The text of an error: what happened, and what to do about it.
public struct ErrorText: Sendable, Hashable {
    /// What happened, without a full stop.
    public let message: String
    /// What to do about it, in the imperative and without a full stop; nil when the error does not say.
    public let hint: String?

    /// Takes the text from any error.
    ///
    /// - Parameter error: An error of this library, of one below it, or of anything else.
    public init(_ error: any Error) {
        if let error = error as? PostgresError {
            // With the server's detail and context, and the SQLSTATE.
            (message, hint) = (error.fullMessage, error.hint ?? ConnectionAdvice.hint(for: error))
        } else if let error = error as? any HintedError {
            (message, hint) = (error.message, error.hint)
        } else {
            (message, hint) = (String(describing: error), nil)
        }
    }
}

/// An error that separates what happened from what to do.
protocol HintedError: Error {
    var message: String { get }
    var hint: String? { get }
}

extension DatabudgieError: HintedError {}
extension StorageError: HintedError {}
extension CompressionError: HintedError {}
