import ArgumentParser
import Ringcast

/// The options of `ringcast connect`.
struct ConnectOptions: ParsableArguments {
    @Argument(help: "Where to: ws://host:port/path, wss://…, or ws+unix:/path/of/socket:/path.")
    var url: String

    @OptionGroup var requestOptions: RequestOptions

    @Option(help: ArgumentHelp("Asked for, the best first; may be repeated.", valueName: "name"))
    var subprotocol: [String] = []

    @Flag(help: "Offer permessage-deflate.")
    var compress = false

    @Option(help: ArgumentHelp("Ping so often, and print how long the answer takes; 0 is never.", valueName: "seconds"))
    var ping = 0

    @Flag(help: "Believe any certificate: whoever is on the way can read and change everything.")
    var insecure = false

    @Option(help: ArgumentHelp("Believe certificates of these authorities (PEM) only.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("Go through an HTTP proxy: http://user:password@host:port.", valueName: "url"))
    var proxy: String?

    @Option(help: "Follow so many redirects.")
    var redirects = 0

    @Option(help: ArgumentHelp("For the whole handshake.", valueName: "seconds"))
    var timeout = 10

    @Flag(help: "Send lines as binary messages, and print binary messages as they are.")
    var binary = false

    @Option(
        help: ArgumentHelp(
            "At the end of standard input, close when nothing has come for so long.", valueName: "seconds"))
    var linger = 0.5

    @Flag(help: "Stay connected at the end of standard input.")
    var keepOpen = false

    func validate() throws {
        guard timeout > 0, ping >= 0, redirects >= 0, linger >= 0 else {
            throw ValidationError("--timeout, --ping, --redirects and --linger take numbers that are not negative")
        }
    }

    var socketOptions: WebSocketOptions {
        WebSocketOptions(perMessageDeflate: compress ? .init(compress: .dedicated, decompress: .dedicated) : false)
    }

    /// - Throws: a `CommandFailure` or a `WebSocketClientError`.
    func request() throws -> ClientRequest {
        var request = try ClientRequest(url)
        request.headers = try requestOptions.fields()
        request.subprotocols = subprotocol
        request.handshakeTimeout = .seconds(timeout)
        request.maxRedirects = redirects
        if let proxy { request.proxy = try HTTPProxy(proxy) }
        if let ca { request.tls.trust = .authorities(.file(ca)) }
        if insecure { request.tls.trust = .anybody }
        return request
    }
}
