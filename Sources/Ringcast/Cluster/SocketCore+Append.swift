import PubSub
import Reactor
import WebSocketProtocol

extension SocketCore {
    /// Publishes to a topic whose history the engine keeps: its number comes back with it, to the subscribers here,
    /// too. Any thread.
    func append(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, to entry: TopicEntry, _ history: TopicHistory,
        except publisher: Publisher?, retain: Bool, compress: Bool?, isQuiet: Bool
    ) -> SendResult {
        guard let cluster, let bounds = configuration.topics[history.rule.tag].history else { return .dropped }
        let message = unsafe SharedMessage.encode(
            payload, as: opcode, of: cluster.node.id, except: publisher, retain: retain, compress: compress,
            isQuiet: isQuiet)
        switch cluster.append(message, to: entry.topic, keeping: bounds, retain: retain) {
        case .accepted: return entry.isBehindElsewhere(than: nil) ? .backpressure : .sent(bytes: payload.count)
        case .waiting: return .backpressure
        case .dropped: return .dropped
        }
    }
}
