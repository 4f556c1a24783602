// What a test's file needs beside RingcastTesting itself, to say what it expects.
@_exported public import enum WebSocketProtocol.ProtocolViolation
