// Boost.Beast on one io_context: beast PORT plain|compress [CERTIFICATE KEY]
// A publish is one shared string; the library frames (and compresses) it per receiver. The endpoints are those of `ringcast serve`.
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using error_code = beast::error_code;

constexpr std::size_t compress_from = 1024;
bool compresses = false;

struct Message {
    std::string payload;
    bool is_text;
};

struct Member {
    virtual ~Member() = default;
    virtual void send(std::shared_ptr<Message const> message) = 0;
};

std::unordered_map<std::string, std::unordered_set<Member*>> groups;

template <class Stream>
class Session final : public Member, public std::enable_shared_from_this<Session<Stream>> {
public:
    explicit Session(Stream&& stream) : socket_(std::move(stream)) {}
    ~Session() override {
        if (subscribes_) groups[group_].erase(this);
    }

    void read_request() {
        http::async_read(socket_.next_layer(), buffer_, request_,
                         [self = this->shared_from_this()](error_code error, std::size_t) {
                             if (!error) self->route();
                         });
    }

    void send(std::shared_ptr<Message const> message) override {
        queue_.push_back(std::move(message));
        if (queue_.size() == 1) write();
    }

private:
    enum class Kind { echo, chat, topic, publish };

    void route() {
        std::string target(request_.target());
        auto const query = target.find('?');
        auto const path = target.substr(0, query);
        if (path == "/echo") {
            kind_ = Kind::echo;
        } else if (path == "/chat") {
            kind_ = Kind::chat;
            group_ = "chat";
            if (query != std::string::npos && target.compare(query, 6, "?name=") == 0)
                prefix_ = target.substr(query + 6) + ": ";
        } else if (path.rfind("/topic/", 0) == 0) {
            kind_ = Kind::topic;
            group_ = "topic/" + path.substr(7);
        } else if (path.rfind("/publish/", 0) == 0) {
            kind_ = Kind::publish;
            group_ = "topic/" + path.substr(9);
        } else {
            return refuse();
        }
        if (!websocket::is_upgrade(request_)) return refuse();
        accept();
    }

    void refuse() {
        auto response = std::make_shared<http::response<http::string_body>>(http::status::not_found, 11);
        response->prepare_payload();
        http::async_write(socket_.next_layer(), *response, [self = this->shared_from_this(), response](error_code, std::size_t) {});
    }

    void accept() {
        beast::get_lowest_layer(socket_).socket().set_option(tcp::no_delay(true));
        websocket::permessage_deflate deflate;
        deflate.server_enable = compresses;
        deflate.server_no_context_takeover = deflate.client_no_context_takeover = true;
        socket_.set_option(deflate);
        socket_.read_message_max(16 << 20);
        socket_.auto_fragment(false);
        socket_.async_accept(request_, [self = this->shared_from_this()](error_code error) {
            if (error) return;
            self->subscribes_ = self->kind_ == Kind::chat || self->kind_ == Kind::topic;
            if (self->subscribes_) groups[self->group_].insert(self.get());
            self->buffer_.clear();
            self->read();
        });
    }

    void read() {
        socket_.async_read(buffer_, [self = this->shared_from_this()](error_code error, std::size_t) {
            if (error) return;
            self->received();
        });
    }

    void received() {
        if (kind_ == Kind::echo) {
            socket_.text(socket_.got_text());
            compress(buffer_.size());
            socket_.async_write(buffer_.data(), [self = this->shared_from_this()](error_code error, std::size_t) {
                self->buffer_.clear();
                if (!error) self->read();
            });
            return;
        }
        auto message = std::make_shared<Message>();
        message->is_text = socket_.got_text();
        if (message->is_text) message->payload = prefix_;
        message->payload += beast::buffers_to_string(buffer_.data());
        buffer_.clear();
        for (auto* member : groups[group_])
            if (member != this || kind_ == Kind::chat) member->send(message);
        read();
    }

    void compress(std::size_t length) {
#if BOOST_BEAST_VERSION >= 318
        socket_.compress(length >= compress_from);
#else
        (void)length;  // this version compresses every message once it is negotiated
#endif
    }

    void write() {
        auto const& message = *queue_.front();
        socket_.text(message.is_text);
        compress(message.payload.size());
        socket_.async_write(asio::buffer(message.payload), [self = this->shared_from_this()](error_code error, std::size_t) {
            self->queue_.pop_front();
            if (!error && !self->queue_.empty()) self->write();
        });
    }

    websocket::stream<Stream, true> socket_;
    beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
    std::deque<std::shared_ptr<Message const>> queue_;
    std::string group_, prefix_;
    Kind kind_ = Kind::echo;
    bool subscribes_ = false;
};

template <class Stream>
void start(std::shared_ptr<Session<Stream>> session) {
    session->read_request();
}

void start_secure(beast::ssl_stream<beast::tcp_stream>&& stream) {
    auto handshaking = std::make_shared<beast::ssl_stream<beast::tcp_stream>>(std::move(stream));
    handshaking->async_handshake(asio::ssl::stream_base::server, [handshaking](error_code error) {
        if (!error) start(std::make_shared<Session<beast::ssl_stream<beast::tcp_stream>>>(std::move(*handshaking)));
    });
}

void accept_next(tcp::acceptor& acceptor, asio::ssl::context* tls) {
    acceptor.async_accept([&acceptor, tls](error_code error, tcp::socket socket) {
        if (!error && tls) start_secure(beast::ssl_stream<beast::tcp_stream>(beast::tcp_stream(std::move(socket)), *tls));
        if (!error && !tls) start(std::make_shared<Session<beast::tcp_stream>>(beast::tcp_stream(std::move(socket))));
        accept_next(acceptor, tls);
    });
}

int main(int argc, char** argv) {
    if (argc != 3 && argc != 5) {
        std::cerr << "usage: beast PORT plain|compress [CERTIFICATE KEY]\n";
        return 2;
    }
    compresses = std::string(argv[2]) == "compress";
    asio::io_context context(1);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    if (argc == 5) {
        tls.use_certificate_chain_file(argv[3]);
        tls.use_private_key_file(argv[4], asio::ssl::context::pem);
    }
    auto const port = static_cast<unsigned short>(std::stoi(argv[1]));
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), port});
    acceptor.listen(4096);
    accept_next(acceptor, argc == 5 ? &tls : nullptr);
    context.run();
}
