#include "connection.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "framing.hpp"
#include "log.hpp"
#include "origin.hpp"
#include "phone.hpp"

namespace cc::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t read_ahead = 128 * 1024;
constexpr milliseconds linger_timeout{1'000};
constexpr std::size_t linger_bytes = 4 << 20;
constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

Peer peer_of(const Socket& socket) {
  Peer peer;
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return peer;
  const auto* const data = static_cast<const void*>(endpoint.data());
  switch (endpoint.protocol().family()) {
    case AF_UNIX:
      peer.local = true;
      break;
    case AF_INET: {
      IpAddress& address = peer.address.emplace();
      address[10] = address[11] = 0xFF;
      std::memcpy(address.data() + 12, &static_cast<const sockaddr_in*>(data)->sin_addr, 4);
      break;
    }
    case AF_INET6:
      std::memcpy(peer.address.emplace().data(), &static_cast<const sockaddr_in6*>(data)->sin6_addr,
                  16);
      break;
    default:
      break;
  }
  return peer;
}

/// Whether the client has hung up: while nothing is written, nothing else would tell. One that only
/// says that it sends no more counts as gone too, as it does for proxies.
bool is_gone(Socket& socket) {
  if (!socket.is_open()) return true;
  pollfd look{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

/// What an unreadable request is told; nothing where there is nobody to tell.
std::optional<Problem> problem_of(const error_code& error, bool timed_out, bool has_line) {
  Problem problem;
  if (timed_out) {
    problem.type = ProblemType::request_timeout;
    problem.detail = "The request took too long to arrive.";
  } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    problem = has_line ? header_too_large() : target_too_long();
  } else if (error == http::error::body_limit) {
    problem.type = ProblemType::body_too_large;
    problem.detail = "The body is larger than this server takes.";
  } else if (error == http::error::end_of_stream || error == http::error::partial_message ||
             error.category() != make_error_code(http::error::bad_method).category()) {
    return std::nullopt;
  } else {
    problem.type = ProblemType::malformed_request;
    problem.detail = "Not HTTP/1.1: " + error.message() + ".";
    problem.invalid_params.push_back({"request", error.message()});
  }
  return problem;
}

/// Method, target, headers and the id, without a body.
Request head_of(const http::request<http::string_body>& message) {
  Request head;
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  for (const auto& field : message) {
    head.headers.emplace_back(lower(std::string_view(field.name_string())),
                              std::string(field.value()));
  }
  const std::string* given = head.header("request-id");
  head.id = given != nullptr && sane_request_id(*given) ? *given : make_request_id();
  return head;
}

}  // namespace

/// Bytes read ahead of the request under way stay in `buffer` for the next one.
struct Connection::Reader {
  beast::flat_buffer buffer{max_head + read_ahead};
  std::optional<http::request_parser<http::string_body>> parser;
};

Connection::Connection(std::shared_ptr<Host> host, Socket socket)
    : host_(std::move(host)),
      socket_(std::move(socket)),
      peer_(peer_of(socket_)),
      deadline_(host_->executor),
      answer_deadline_(host_->executor) {
  host_->connections.insert(this);
}

Connection::~Connection() {
  host_->connections.erase(this);
  if (host_->connections.empty()) host_->all_gone.cancel();
}

void Connection::start() {
  asio::co_spawn(host_->executor, run(shared_from_this()), asio::detached);
}

void Connection::refuse() {
  asio::co_spawn(host_->executor, run_refusal(shared_from_this()), asio::detached);
}

void Connection::interrupt_if_idle() {
  error_code ignored;
  if (idle_) socket_.cancel(ignored);
}

void Connection::abort() {
  error_code ignored;
  disarm();
  end_answer_within();
  // Where closing means "that was all", only a reset says that it was not.
  if (half_sent_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void Connection::arm(milliseconds limit) {
  timed_out_ = false;
  const auto number = ++deadline_number_;
  deadline_.expires_after(limit);
  deadline_.async_wait([weak = weak_from_this(), number](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->deadline_number_ != number) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Connection::disarm() {
  ++deadline_number_;
  deadline_.cancel();
}

void Connection::begin_answer_within(milliseconds limit) {
  overdue_ = false;
  const auto number = ++answer_number_;
  answer_deadline_.expires_after(limit);
  answer_deadline_.async_wait([weak = weak_from_this(), number](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->answer_number_ != number) return;
    self->overdue_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Connection::end_answer_within() {
  ++answer_number_;
  answer_deadline_.cancel();
  overdue_ = false;
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  Reader reader;
  Next next = Next::request;
  bool first = true;
  try {
    while (next == Next::request) {
      auto waiting = self->first_byte(reader, first);
      const bool begun = co_await std::move(waiting);
      if (!begun) break;
      first = false;
      auto serving = self->serve(reader);
      next = co_await std::move(serving);
    }
    if (next == Next::linger) {
      auto lingering = self->linger();
      co_await std::move(lingering);
    }
  } catch (const std::exception& error) {
    log().error("API: a connection ended by: {}", error.what());
  }
  self->abort();
}

asio::awaitable<void> Connection::run_refusal(std::shared_ptr<Connection> self) {
  Problem problem;
  problem.type = ProblemType::overloaded;
  problem.detail = "Keep connections alive instead of opening more.";
  const std::string id = make_request_id();
  const Response response = to_response(problem, id);
  Trace trace;
  trace.route = "refused";
  Request nobody;
  nobody.id = id;
  auto delivering = self->deliver(response, nobody, Framing::length, false);
  const Delivery delivery = co_await std::move(delivering);
  self->host_->count(trace, response.status, delivery.sent, delivery.whole);
  auto lingering = self->linger();
  co_await std::move(lingering);
  self->abort();
}

/// Waits for a request to begin. False = there will be none.
asio::awaitable<bool> Connection::first_byte(Reader& reader, bool first) {
  if (reader.buffer.size() > 0) co_return true;
  error_code ignored;
  if (!host_->draining || socket_.available(ignored) > 0) {
    arm(first ? host_->limits.header_timeout : host_->limits.idle_timeout);
    idle_ = true;
    const auto room = reader.buffer.prepare(2048);
    const auto [error, count] = co_await socket_.async_read_some(room, tuple);
    idle_ = false;
    disarm();
    reader.buffer.commit(count);
    if (!error) co_return true;
    // Interrupted to drain, while a request was just coming in: that one is served still.
    if (error != asio::error::operation_aborted || timed_out_) co_return false;
    if (!socket_.is_open() || socket_.available(ignored) == 0) co_return false;
    co_return true;
  }
  co_return false;
}

asio::awaitable<Connection::Next> Connection::serve(Reader& reader) {
  reader.parser.emplace();
  reader.parser->header_limit(max_head);
  reader.parser->body_limit(host_->limits.max_body);
  arm(host_->limits.header_timeout);
  auto [error, header_size] =
      co_await http::async_read_header(socket_, reader.buffer, *reader.parser, tuple);
  disarm();
  // Taken before the body: what comes behind a chunked one (trailers) is no header.
  Request request = head_of(reader.parser->get());
  const unsigned minor = reader.parser->get().version() % 10;
  const bool keep_alive = !error && reader.parser->keep_alive();
  std::optional<Problem> problem;
  if (!error) problem = wrong_head(request, minor);
  if (!error && !problem) {
    auto reading = read_body(reader, request, error);
    const bool expected = co_await std::move(reading);
    if (!expected) {
      problem.emplace();
      problem->type = ProblemType::expectation_failed;
      problem->detail = "Only \"Expect: 100-continue\" is known.";
    }
  }
  if (error) {
    // The parser may have looked for the headers' end alone, and have left all in the buffer.
    const auto unread = static_cast<const char*>(reader.buffer.data().data());
    const std::string_view begin(unread, std::min(reader.buffer.size(), max_request_line + 2));
    const bool has_line = !request.target.empty() || begin.find('\n') != std::string_view::npos;
    problem = problem_of(error, timed_out_, has_line);
    if (!problem) co_return Next::close;
  }
  if (!problem) request.body = std::move(reader.parser->get().body());
  auto answering = problem ? complain(*std::move(problem), request)
                           : answer(std::move(request), minor, keep_alive);
  const Next next = co_await std::move(answering);
  co_return next;
}

/// False = the client expects something that nobody can do.
asio::awaitable<bool> Connection::read_body(Reader& reader, const Request& head,
                                            error_code& error) {
  if (const std::string* expect = head.header("expect")) {
    if (lower(*expect) != "100-continue") co_return false;
    if (!reader.parser->is_done() && reader.buffer.size() == 0) {
      auto writing = write("HTTP/1.1 100 Continue\r\n\r\n");
      co_await std::move(writing);
    }
  }
  if (reader.parser->is_done()) co_return true;
  arm(host_->limits.body_timeout);
  const auto [read_error, size] =
      co_await http::async_read(socket_, reader.buffer, *reader.parser, tuple);
  disarm();
  error = read_error;
  co_return true;
}

/// The answer to what no route shall see. Where the next request begins is unknown after it.
asio::awaitable<Connection::Next> Connection::complain(Problem problem, const Request& head) {
  const auto begun = host_->clock.steady();
  Answer answer;
  answer.trace.route = "unreadable";
  answer.response = to_response(problem, head.id);
  answer.trace.problem = answer.response.problem;
  auto delivering = deliver(answer.response, head, Framing::length, false);
  const Delivery delivery = co_await std::move(delivering);
  host_->count(answer.trace, answer.response.status, delivery.sent, delivery.whole);
  log_access(head, answer, delivery, begun);
  co_return delivery.whole ? Next::linger : Next::close;
}

asio::awaitable<Connection::Next> Connection::answer(Request request, unsigned minor,
                                                     bool keep_alive) {
  const auto begun = host_->clock.steady();
  request.peer = client_of(peer_, request, host_->trusted_proxies);
  request.origin = origin_of(peer_, request, host_->trusted_proxies, host_->limits.public_url);
  request.origin_configured = !host_->limits.public_url.empty();
  auto answering = host_->answer(request);
  const Answer answer = co_await std::move(answering);
  Framing framing = Framing::length;
  if (answer.response.more && !answer.response.length) {
    framing = minor >= 1 ? Framing::chunked : Framing::until_close;
  }
  keep_alive = keep_alive && !host_->draining && framing != Framing::until_close;
  auto delivering = deliver(answer.response, request, framing, keep_alive);
  const Delivery delivery = co_await std::move(delivering);
  host_->count(answer.trace, answer.response.status, delivery.sent, delivery.whole);
  log_access(request, answer, delivery, begun);
  if (!delivery.whole) co_return Next::close;
  co_return keep_alive ? Next::request : Next::linger;
}

void Connection::log_access(const Request& request, const Answer& answer, Delivery delivery,
                            std::chrono::steady_clock::time_point begun) const {
  if (!host_->access_log) return;
  AccessEntry entry;
  entry.request_id = request.id;
  entry.method = answer.trace.method;
  entry.route = answer.trace.route;
  entry.tenant = answer.trace.tenant;
  entry.key = answer.trace.key;
  entry.call = answer.trace.call;
  entry.problem = answer.trace.problem;
  entry.status = answer.response.status;
  entry.took = std::chrono::duration_cast<std::chrono::microseconds>(host_->clock.steady() - begun);
  entry.received = request.body.size();
  entry.sent = delivery.sent;
  entry.whole = delivery.whole;
  host_->access_log(entry);
}

asio::awaitable<Connection::Delivery> Connection::deliver(const Response& response,
                                                          const Request& request, Framing framing,
                                                          bool keep_alive) {
  Delivery delivery;
  std::string bytes =
      head_on_the_wire(response, request.id, host_->clock.epoch_ms(), framing, keep_alive);
  const std::string_view body = request.method == "HEAD" ? std::string_view() : response.body;
  bytes.append(framing == Framing::chunked && !body.empty() ? chunk_on_the_wire(body) : body);
  half_sent_ = framing != Framing::length;
  auto writing = write(std::move(bytes));
  delivery.whole = co_await std::move(writing);
  if (delivery.whole) delivery.sent = body.size();
  if (delivery.whole && response.more && request.method != "HEAD") {
    if (response.within) begin_answer_within(*response.within);
    auto streaming = stream(response, request, framing, body.size());
    const Delivery rest = co_await std::move(streaming);
    if (overdue_ && !rest.whole) {
      log().info("request {}: its answer is cut after {} bytes: it was read too slowly", request.id,
                 delivery.sent + rest.sent);
    }
    end_answer_within();
    delivery.sent += rest.sent;
    delivery.whole = rest.whole;
  }
  if (delivery.whole) half_sent_ = false;
  co_return delivery;
}

/// What comes behind the body's beginning of `begun` bytes, until it ends or fails.
asio::awaitable<Connection::Delivery> Connection::stream(const Response& response,
                                                         const Request& request, Framing framing,
                                                         std::size_t begun) {
  Delivery delivery;
  const std::uint64_t length = response.length.value_or(UINT64_MAX);
  while (true) {
    std::optional<std::string> part;
    try {
      auto making = response.more();
      part = co_await std::move(making);
    } catch (const std::exception& error) {
      log().error("request {}: its answer is cut after {} bytes: {}", request.id, delivery.sent,
                  mask_numbers_in(error.what()));
      co_return delivery;
    }
    if (overdue_) co_return delivery;
    if (part && part->empty()) {
      if (is_gone(socket_)) co_return delivery;
      continue;
    }
    const bool end = !part;
    const std::size_t size = end ? 0 : part->size();
    const std::uint64_t so_far = begun + delivery.sent + size;
    if (framing == Framing::length && (so_far > length || (end && so_far < length))) {
      log().error("request {}: its answer is cut after {} bytes: it was to have {} in all",
                  request.id, delivery.sent, length);
      co_return delivery;
    }
    if (end && framing != Framing::chunked) break;
    std::string bytes = end                           ? std::string(last_chunk)
                        : framing == Framing::chunked ? chunk_on_the_wire(*part)
                                                      : *std::move(part);
    auto writing = write(std::move(bytes));
    const bool written = co_await std::move(writing);
    if (!written) co_return delivery;
    delivery.sent += size;
    if (end) break;
  }
  delivery.whole = true;
  co_return delivery;
}

asio::awaitable<bool> Connection::write(std::string bytes) {
  arm(host_->limits.write_timeout);
  const auto buffer = asio::buffer(bytes);
  const auto [error, count] = co_await asio::async_write(socket_, buffer, tuple);
  disarm();
  co_return !error;
}

/// Closing with unread bytes would make the kernel throw the answer away at the client.
asio::awaitable<void> Connection::linger() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  std::string sink(16 * 1024, '\0');
  const auto buffer = asio::buffer(sink);
  arm(linger_timeout);
  std::size_t total = 0;
  while (total < linger_bytes && !timed_out_) {
    const auto [error, count] = co_await socket_.async_read_some(buffer, tuple);
    if (error) break;
    total += count;
  }
  disarm();
}

}  // namespace cc::api
