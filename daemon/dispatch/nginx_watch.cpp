#include "dispatch/spool_watch.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "log.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr Millis patience{2000};

}  // namespace

Result<SpoolState> read_spool_state(const std::string& status_json) {
  json::error_code error;
  const json::value value = json::parse(status_json, error);
  const json::object* const status = error ? nullptr : value.if_object();
  const json::value* const spool = status == nullptr ? nullptr : status->if_contains("spool");
  if (spool == nullptr) {
    return Error{"its answer is not that of cc_status; does nginx.conf say cc_status there?"};
  }
  if (spool->is_null()) return SpoolState{};  // cc_spool off
  const json::object* const object = spool->if_object();
  const json::value* const readable = object == nullptr ? nullptr : object->if_contains("readable");
  if (readable == nullptr || !readable->is_bool()) {
    return Error{"its answer is not that of cc_status: \"spool\" is of another kind"};
  }
  if (!readable->get_bool()) return Error{"NGINX cannot read its spool directory"};
  const json::value* const oldest = object->if_contains("oldest_received_ms");
  if (oldest == nullptr || !oldest->is_int64() || oldest->get_int64() < 0) {
    return Error{"its answer is not that of cc_status: no oldest_received_ms"};
  }
  return SpoolState{oldest->get_int64()};
}

asio::awaitable<void> SpoolWatch::look() {
  const std::vector<std::string> urls = config_.nginx_status;  // a reload may come in between
  std::erase_if(views_, [&](const auto& view) {
    return std::find(urls.begin(), urls.end(), view.first) == urls.end();
  });
  for (const std::string& url : urls) {
    const std::int64_t asked_ms = clock_.epoch_ms();
    HttpRequest request;
    request.url = url;
    request.connect_timeout = request.timeout = patience;
    const HttpExchange exchange = co_await http_.perform(std::move(request));
    std::string problem;
    if (!exchange.answered()) {
      problem = exchange.problem;
    } else if (exchange.status != 200) {
      problem = "it answers " + std::to_string(exchange.status);
    }
    View& view = views_[url];
    if (problem.empty()) {
      const Result<SpoolState> state = read_spool_state(exchange.body);
      if (!state) {
        problem = state.error().message;
      } else {
        view.clear_until_ms = state->oldest_ms == 0 ? asked_ms : state->oldest_ms - 1;
      }
    }
    if (problem != view.problem) {
      if (problem.empty()) {
        log().info("NGINX's status {} is there again", url);
      } else {
        log().error("NGINX's status {}: {}; what its spool holds is not known", url, problem);
      }
      view.problem = problem;
    }
  }
}

std::int64_t SpoolWatch::clear_until_ms(std::int64_t now_ms) const {
  std::int64_t least = now_ms;
  for (const std::string& url : config_.nginx_status) {
    const auto view = views_.find(url);
    least = std::min(least, view == views_.end() ? 0 : view->second.clear_until_ms);
  }
  return least;
}

std::string SpoolWatch::problem() const {
  std::string all;
  for (const auto& [url, view] : views_) {
    if (!view.problem.empty()) all += (all.empty() ? "" : "; ") + url + ": " + view.problem;
  }
  return all;
}

}  // namespace cc
