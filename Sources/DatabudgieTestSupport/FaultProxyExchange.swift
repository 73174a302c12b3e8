import Glibc
import NIOCore
import NIOPosix

/// One request and its reply on their way through a `FaultProxy`.
struct FaultProxyExchange {
    typealias AsyncChannel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// The request was not HTTP with a length.
    struct Malformed: Error {}

    let channel: any Channel
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    private var head = ""
    /// The part of the body that came with the head.
    private var early = ByteBuffer()
    private var bodyLength = 0

    init(
        channel: any Channel,
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound
        self.outbound = outbound
    }

    /// Reads the request up to its body.
    mutating func receiveHead() async throws -> (method: String, target: String, headers: Set<String>) {
        let (head, rest) = try await Self.receiveHead(from: &inbound)
        (self.head, early) = (head, rest)
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count == 3 else { throw Malformed() }
        bodyLength = Self.header("content-length", in: head).flatMap { Int($0) } ?? 0
        let names = head.split(separator: "\r\n").dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
        return (String(words[0]), String(words[1]), Set(names))
    }

    /// Passes the request on and the reply back, or misbehaves.
    mutating func run(_ fault: FaultProxy.Fault?, _ upstream: (host: String, port: Int)) async throws {
        switch fault {
        case .reply(let status, let headers, let body):
            try await receiveBody { _ in }
            let lines = headers.merging(["Content-Length": "\(body.utf8.count)", "Connection": "close"]) { $1 }
                .map { "\($0): \($1)\r\n" }.joined()
            try await outbound.write(ByteBuffer(string: "HTTP/1.1 \(status) Made up\r\n\(lines)\r\n\(body)"))
        case .reset(let bytes):
            bodyLength = min(bodyLength, bytes)
            try await receiveBody { _ in }
            try await reset()
        case .hang:
            try await receiveBody { _ in }
            while try await inbound.next(isolation: #isolation) != nil {}
        case .delay(let duration):
            try await Task.sleep(for: duration)
            try await pass(nil, upstream)
        default:
            try await pass(fault, upstream)
        }
    }

    private mutating func pass(_ fault: FaultProxy.Fault?, _ upstream: (host: String, port: Int)) async throws {
        let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: upstream.host, port: upstream.port) { channel in
                channel.eventLoop.makeCompletedFuture { try AsyncChannel(wrappingChannelSynchronously: channel) }
            }
        var exchange = self
        try await server.executeThenClose { replies, requests in
            // The server closes after its reply, so the reply's end is unmistakable.
            let lines = exchange.head.split(separator: "\r\n").filter { !$0.lowercased().hasPrefix("connection:") }
            try await requests.write(
                ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\nConnection: close\r\n\r\n")
            )
            var offset = 0
            try await exchange.receiveBody { part in
                var part = part
                if case .flipRequest(let place) = fault { Self.flip(&part, at: place - offset) }
                offset += part.readableBytes
                try await requests.write(part)
            }
            var replies = replies.makeAsyncIterator()
            try await exchange.answer(from: &replies, fault)
        }
    }

    private mutating func answer(
        from replies: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ fault: FaultProxy.Fault?
    ) async throws {
        let (head, rest) = try await Self.receiveHead(from: &replies)
        if case .loseReply = fault {
            while try await replies.next(isolation: #isolation) != nil {}
            return try await reset()
        }
        if case .withholdReply = fault {
            while try await replies.next(isolation: #isolation) != nil {}
            while try await inbound.next(isolation: #isolation) != nil {}
            return
        }
        try await outbound.write(ByteBuffer(string: head + "\r\n\r\n"))
        var offset = 0
        var next: ByteBuffer? = rest
        while var part = next {
            switch fault {
            case .flipReply(let place):
                Self.flip(&part, at: place - offset)
            case .cutReply(let bytes) where offset + part.readableBytes > bytes:
                try await outbound.write(part.getSlice(at: part.readerIndex, length: bytes - offset) ?? part)
                return
            case .stall(let bytes) where offset + part.readableBytes > bytes:
                try await outbound.write(part.getSlice(at: part.readerIndex, length: bytes - offset) ?? part)
                while try await inbound.next(isolation: #isolation) != nil {}
                return
            default:
                break
            }
            offset += part.readableBytes
            try await outbound.write(part)
            next = try await replies.next(isolation: #isolation)
        }
    }

    /// Closes the connection with RST instead of FIN.
    private func reset() async throws {
        guard let socket = channel as? any SocketOptionProvider else { throw Malformed() }
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close()
    }

    private mutating func receiveBody(_ take: (ByteBuffer) async throws -> Void) async throws {
        var left = bodyLength
        var part = early.readSlice(length: min(early.readableBytes, left)) ?? ByteBuffer()
        while true {
            left -= part.readableBytes
            if part.readableBytes > 0 { try await take(part) }
            guard left > 0 else { return }
            guard var next = try await inbound.next(isolation: #isolation) else { throw Malformed() }
            part = next.readSlice(length: min(next.readableBytes, left)) ?? ByteBuffer()
        }
    }

    static func receiveHead(
        from parts: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) async throws -> (head: String, rest: ByteBuffer) {
        var received = ByteBuffer()
        while var part = try await parts.next(isolation: #isolation) {
            received.writeBuffer(&part)
            if let end = received.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = received.readString(length: end.lowerBound - received.readerIndex) ?? ""
                received.moveReaderIndex(forwardBy: 4)
                return (head, received)
            }
        }
        throw Malformed()
    }

    private static func header(_ name: String, in head: String) -> String? {
        head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).filter { $0 != " " } }
    }

    private static func flip(_ part: inout ByteBuffer, at place: Int) {
        guard place >= 0, place < part.readableBytes else { return }
        let index = part.readerIndex + place
        guard let byte: UInt8 = part.getInteger(at: index) else { return }
        part.setInteger(byte ^ 1, at: index)
    }
}
