// SwiftNIO's NIOWebSocket on one event loop: nio-peer PORT plain [CERTIFICATE KEY]
// The library frames a message per receiver, over one shared buffer; it has no topics and no compression. The endpoints are
// those of `ringcast serve`.
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// The members of each group. Looked at on the one loop only.
final class Groups {
    var members: [String: [ObjectIdentifier: any Channel]] = [:]

    func publish(_ message: ByteBuffer, opcode: WebSocketOpcode, to group: String, except: ObjectIdentifier?) {
        guard let members = members[group] else { return }
        let frame = WebSocketFrame(fin: true, opcode: opcode, data: message)
        for (id, member) in members where id != except { member.writeAndFlush(frame, promise: nil) }
    }
}

final class Endpoint: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private enum Kind { case echo, chat, topic, publish }
    private let kind: Kind
    private let group: String
    private var prefix = ""
    private let groups: Groups

    static func exists(_ path: Substring) -> Bool {
        path == "/echo" || path == "/chat" || path.hasPrefix("/topic/") || path.hasPrefix("/publish/")
    }

    init(uri: String, groups: Groups) {
        self.groups = groups
        let parts = uri.split(separator: "?", maxSplits: 1)
        let names = parts[0].split(separator: "/", maxSplits: 1)
        switch names[0] {
        case "chat": (kind, group) = (.chat, "chat")
        case "topic": (kind, group) = (.topic, "topic/\(names[1])")
        case "publish": (kind, group) = (.publish, "topic/\(names[1])")
        default: (kind, group) = (.echo, "")
        }
        if kind == .chat, parts.count == 2, parts[1].hasPrefix("name=") { prefix = "\(parts[1].dropFirst(5)): " }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard kind == .chat || kind == .topic else { return }
        groups.members[group, default: [:]][ObjectIdentifier(context.channel)] = context.channel
    }

    func channelInactive(context: ChannelHandlerContext) {
        groups.members[group]?[ObjectIdentifier(context.channel)] = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: received(frame, context: context)
        case .ping: send(.pong, frame.unmaskedData, context: context)
        case .connectionClose:
            send(.connectionClose, frame.unmaskedData, context: context)
            context.close(promise: nil)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func received(_ frame: WebSocketFrame, context: ChannelHandlerContext) {
        var message = frame.unmaskedData
        guard kind != .echo else { return send(frame.opcode, message, context: context) }
        if !prefix.isEmpty, frame.opcode == .text {
            var line = context.channel.allocator.buffer(capacity: prefix.utf8.count + message.readableBytes)
            line.writeString(prefix)
            line.writeBuffer(&message)
            message = line
        }
        let except = kind == .chat ? nil : ObjectIdentifier(context.channel)
        groups.publish(message, opcode: frame.opcode, to: group, except: except)
    }

    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3 || arguments.count == 5, let port = Int(arguments[1]) else {
    fatalError("usage: nio-peer PORT plain [CERTIFICATE KEY]")
}
nonisolated(unsafe) let groups = Groups()
let tls: NIOSSLContext? =
    arguments.count == 3
    ? nil
    : try NIOSSLContext(
        configuration: .makeServerConfiguration(
            certificateChain: NIOSSLCertificate.fromPEMFile(arguments[3]).map { .certificate($0) },
            privateKey: .privateKey(NIOSSLPrivateKey(file: arguments[4], format: .pem))))

let server = ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
            let upgrader = NIOWebSocketServerUpgrader(
                maxFrameSize: 16 << 20,
                shouldUpgrade: { channel, head in
                    let exists = Endpoint.exists(head.uri.prefix { $0 != "?" })
                    return channel.eventLoop.makeSucceededFuture(exists ? HTTPHeaders() : nil)
                },
                upgradePipelineHandler: { channel, head in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            NIOWebSocketFrameAggregator(
                                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1 << 20,
                                maxAccumulatedFrameSize: 16 << 20),
                            Endpoint(uri: head.uri, groups: groups),
                        ])
                    }
                })
            try pipeline.configureHTTPServerPipeline(withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        }
    }
try server.bind(host: "127.0.0.1", port: port).wait().closeFuture.wait()
