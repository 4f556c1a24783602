import ArgumentParser
import LoadTesting
import Ringcast

/// Who a client says that it is: what `connect`, `load` and `bench` send with their requests.
struct RequestOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Added to the request; may be repeated.", valueName: "name: value"))
    var header: [String] = []

    @Option(help: ArgumentHelp("Sent in the Cookie header; may be repeated.", valueName: "name=value"))
    var cookie: [String] = []

    @Option(
        help: ArgumentHelp(
            "Sent as Authorization: Bearer. Others on this machine see it in the list of processes.",
            valueName: "token"))
    var token: String?

    func fields() throws -> HTTPFields {
        do throws(LoadFailure) {
            return try RequestFields.parse(headers: header, cookies: cookie, token: token)
        } catch {
            throw CommandFailure(error.message)
        }
    }
}
