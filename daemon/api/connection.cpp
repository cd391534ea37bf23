#include "connection.hpp"

#include <cctype>
#include <optional>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "log.hpp"

namespace cc::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t max_header = 16 * 1024;
constexpr std::size_t read_ahead = 128 * 1024;
constexpr milliseconds write_timeout{30'000};
constexpr milliseconds linger_timeout{1'000};
constexpr std::size_t linger_bytes = 4 << 20;
constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// The answer's bytes. `length_only`: what HEAD gets.
std::string on_the_wire(const Response& response, const std::string& request_id,
                        std::int64_t now_ms, bool keep_alive, bool length_only) {
  std::string bytes;
  bytes.reserve(512 + response.body.size());
  const auto add = [&](std::string_view name, std::string_view value) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  };
  const auto reason = http::obsolete_reason(http::int_to_status(response.status));
  bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  bytes.append(std::string_view(reason)).append("\r\n");
  add("Date", http_date(now_ms));
  add("Server", "ccd");
  add("Request-Id", request_id);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (response.status != 204) {  // which has no content, and RFC 9110 forbids to say how long it is
    add("Content-Type", response.content_type);
    add("Content-Length", std::to_string(response.body.size()));
  }
  add("Connection", keep_alive ? "keep-alive" : "close");
  bytes.append("\r\n");
  if (!length_only) bytes.append(response.body);
  return bytes;
}

/// What an unreadable request is told; nothing where there is nobody to tell.
std::optional<Problem> problem_of(const error_code& error, bool timed_out) {
  Problem problem;
  if (timed_out) {
    problem.type = ProblemType::request_timeout;
    problem.detail = "The request took too long to arrive.";
  } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    problem.type = ProblemType::header_too_large;
    problem.detail =
        "Request line and headers may have " + std::to_string(max_header) + " bytes together.";
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

}  // namespace

/// Bytes read ahead of the request under way stay in `buffer` for the next one.
struct Connection::Reader {
  beast::flat_buffer buffer{max_header + read_ahead};
  std::optional<http::request_parser<http::string_body>> parser;
};

Host::Host(asio::any_io_executor loop, const Config& config, Calls& all_calls, const Health& health,
           Metrics& figures, const Clock& time, AccessLog log, Nouns nouns)
    : executor(loop),
      limits(config.http),
      calls(all_calls),
      metrics(figures),
      clock(time),
      access_log(std::move(log)),
      router(all_calls, health, figures, time, config.tenants, nouns),
      all_gone(std::move(loop)) {}

void Host::count(const Trace& trace, unsigned status) {
  auto& counter = counters_[{trace.route, trace.method, status}];
  if (counter == nullptr) {
    counter = &metrics.requests.Add({{"route", std::string(trace.route)},
                                     {"method", std::string(trace.method)},
                                     {"status", std::to_string(status)}});
  }
  counter->Increment();
}

Connection::Connection(std::shared_ptr<Host> host, Socket socket)
    : host_(std::move(host)), socket_(std::move(socket)), deadline_(host_->executor) {
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
  self->host_->count(trace, response.status);
  auto writing =
      self->write(on_the_wire(response, id, self->host_->clock.epoch_ms(), false, false));
  co_await std::move(writing);
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
  reader.parser->header_limit(max_header);
  reader.parser->body_limit(host_->limits.max_body);
  arm(host_->limits.header_timeout);
  auto [error, header_size] =
      co_await http::async_read_header(socket_, reader.buffer, *reader.parser, tuple);
  disarm();
  bool expected = true;
  if (!error) {
    auto reading = read_body(reader, error);
    expected = co_await std::move(reading);
  }
  std::optional<Problem> problem;
  if (error) {
    problem = problem_of(error, timed_out_);
    if (!problem) co_return Next::close;
  } else if (!expected) {
    problem.emplace();
    problem->type = ProblemType::expectation_failed;
    problem->detail = "Only \"Expect: 100-continue\" is known.";
  }
  auto answering = problem ? complain(*std::move(problem)) : answer(reader);
  const Next next = co_await std::move(answering);
  co_return next;
}

/// False = the client expects something that nobody can do.
asio::awaitable<bool> Connection::read_body(Reader& reader, error_code& error) {
  const auto expect = reader.parser->get().find(http::field::expect);
  if (expect != reader.parser->get().end()) {
    if (lower(std::string_view(expect->value())) != "100-continue") co_return false;
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

asio::awaitable<Connection::Next> Connection::complain(Problem problem) {
  const std::string id = make_request_id();
  const Response response = to_response(problem, id);
  Trace trace;
  trace.route = "unreadable";
  host_->count(trace, response.status);
  if (host_->access_log) {
    AccessEntry entry;
    entry.request_id = id;
    entry.route = trace.route;
    entry.status = response.status;
    entry.sent = response.body.size();
    host_->access_log(entry);
  }
  auto writing = write(on_the_wire(response, id, host_->clock.epoch_ms(), false, false));
  const bool written = co_await std::move(writing);
  co_return written ? Next::linger : Next::close;
}

asio::awaitable<Connection::Next> Connection::answer(Reader& reader) {
  const auto begun = host_->clock.steady();
  bool keep_alive = reader.parser->keep_alive();
  auto message = reader.parser->release();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(lower(std::string_view(field.name_string())),
                                 std::string(field.value()));
  }
  request.body = std::move(message.body());
  const std::string* given = request.header("request-id");
  request.id = given != nullptr && sane_request_id(*given) ? *given : make_request_id();

  auto answering = host_->router.answer(request);
  const Answer answer = co_await std::move(answering);

  keep_alive = keep_alive && !host_->draining;
  const bool head = request.method == "HEAD";
  auto writing =
      write(on_the_wire(answer.response, request.id, host_->clock.epoch_ms(), keep_alive, head));
  const bool written = co_await std::move(writing);
  host_->count(answer.trace, answer.response.status);
  if (host_->access_log) {
    AccessEntry entry;
    entry.request_id = request.id;
    entry.method = answer.trace.method;
    entry.route = answer.trace.route;
    entry.tenant = answer.trace.tenant;
    entry.key = answer.trace.key;
    entry.call = answer.trace.call;
    entry.status = answer.response.status;
    entry.took =
        std::chrono::duration_cast<std::chrono::microseconds>(host_->clock.steady() - begun);
    entry.received = request.body.size();
    entry.sent = head ? 0 : answer.response.body.size();
    host_->access_log(entry);
  }
  if (!written) co_return Next::close;
  co_return keep_alive ? Next::request : Next::linger;
}

asio::awaitable<bool> Connection::write(std::string bytes) {
  arm(write_timeout);
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
