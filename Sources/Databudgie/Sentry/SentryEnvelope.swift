import Foundation

/// An event in the form in which it travels (Sentry's developer documentation, "Envelopes"): three lines of JSON.
struct SentryEnvelope: Sendable {
    private struct Header: Encodable {
        let eventID: String
        let sentAt: String

        enum CodingKeys: String, CodingKey {
            case eventID = "event_id"
            case sentAt = "sent_at"
        }
    }

    private struct ItemHeader: Encodable {
        let type = "event"
        let contentType = "application/json"
        let length: Int

        enum CodingKeys: String, CodingKey {
            case type, length
            case contentType = "content_type"
        }
    }

    /// The media type of an envelope.
    static let contentType = "application/x-sentry-envelope"

    /// What is posted.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - event: The one event.
    ///   - time: When it is sent, from which the server learns how wrong our clock is.
    /// - Throws: `EncodingError`.
    init(_ event: SentryEvent, sentAt time: Date) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON escapes line breaks, so each part is one line.
        let payload = try encoder.encode(event)
        let header = try encoder.encode(Header(eventID: event.eventID, sentAt: SentryEvent.text(of: time)))
        let item = try encoder.encode(ItemHeader(length: payload.count))
        bytes = [header, item, payload].flatMap { Array($0) + [UInt8(ascii: "\n")] }
    }
}
