/// Bytes on their way into a file, of which it is known about how many there will be.
///
/// A storage that has to decide in advance how to divide a file asks for it before each part.
public protocol ForeseeableBytes: Sendable {
    /// How many bytes there will be in all, as far as it can be told by what has passed; nil when it cannot.
    var expectedBytes: Int64? { get }
}
