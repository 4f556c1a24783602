// What a user's file needs beside Ringcast itself: `import Ringcast` is enough.
@_exported public import HTTPTypes
@_exported public import enum WebSocketProtocol.OriginPolicy
@_exported public import struct WebSocketProtocol.CloseCode
@_exported public import struct WebSocketProtocol.PerMessageDeflate
@_exported public import enum Reactor.Coalescing
@_exported public import enum Reactor.DriverChoice
@_exported public import enum Reactor.DriverKind
@_exported public import enum Reactor.LoopCount
@_exported public import enum Reactor.ConnectionPlacement
@_exported public import struct Logging.Logger
@_exported public import enum PubSub.Resumption
@_exported public import struct PubSub.Position
@_exported public import struct PubSub.Topic
@_exported public import struct Reactor.AddressRange
@_exported public import struct Reactor.ListenerAddress
@_exported public import struct Reactor.ReactorError
@_exported public import struct Reactor.SocketAddress
@_exported public import enum Reactor.PEMSource
@_exported public import enum Reactor.TLSClientCertificates
@_exported public import enum Reactor.TLSVersion
@_exported public import struct Reactor.TLSCertificate
@_exported public import struct Reactor.TLSConfiguration
@_exported public import struct Reactor.TLSInformation
@_exported public import enum Reactor.TLSTrust
@_exported public import struct Reactor.TLSClientConfiguration
@_exported public import class Reactor.LoopExecutor
