#include "dispatch/nginx_watch.hpp"

#include <algorithm>
#include <optional>

#include "log.hpp"

namespace cc {
namespace {

constexpr Millis patience{2000};

/// For people: no scheme, no user, no query.
std::string short_name(const std::string& url) {
  std::string name = url.substr(0, url.find_first_of("?#"));
  if (const std::size_t at = name.find("://"); at != std::string::npos) name.erase(0, at + 3);
  if (const std::size_t at = name.rfind('@'); at != std::string::npos) name.erase(0, at + 1);
  return name;
}

}  // namespace

Result<SpoolState> read_spool_state(const std::string& status_json) {
  const Result<NginxState> state = read_nginx_state(status_json);
  if (!state) return state.error();
  if (!state->spool_readable) return Error{"NGINX cannot read its spool directory"};
  return SpoolState{state->spool_oldest_ms};
}

void NginxWatch::take(View& view, const std::string& body, std::int64_t asked_ms) {
  const Result<NginxState> state = read_nginx_state(body);
  if (!state) {
    view.problem = state.error().message;
    return;
  }
  view.problem = state->spool_readable ? "" : "NGINX cannot read its spool directory";
  if (view.asked && state->failed > view.state.failed) view.failed = clock_.steady();
  view.state = *state;
  view.asked = true;
  if (state->spool_readable) {
    view.clear_until_ms = state->spool_oldest_ms == 0 ? asked_ms : state->spool_oldest_ms - 1;
  }
}

asio::awaitable<void> NginxWatch::look() {
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
    View& view = views_[url];
    const std::string before = view.problem;
    if (!exchange.answered()) {
      view.problem = exchange.problem;
    } else if (exchange.status != 200) {
      view.problem = "it answers " + std::to_string(exchange.status);
    } else {
      take(view, exchange.body, asked_ms);
    }
    if (view.problem == before) continue;
    if (view.problem.empty()) {
      log().info("NGINX's status {} is there again", short_name(url));
    } else {
      log().error("NGINX's status {}: {}; what its spool holds is not known", short_name(url),
                  view.problem);
    }
  }
}

std::int64_t NginxWatch::clear_until_ms(std::int64_t now_ms) const {
  std::int64_t least = now_ms;
  for (const std::string& url : config_.nginx_status) {
    const auto view = views_.find(url);
    least = std::min(least, view == views_.end() ? 0 : view->second.clear_until_ms);
  }
  return least;
}

std::string NginxWatch::problem() const {
  std::string all;
  for (const auto& [url, view] : views_) {
    if (!view.problem.empty())
      all += (all.empty() ? "" : "; ") + short_name(url) + ": " + view.problem;
  }
  return all;
}

std::vector<PartHealth> NginxWatch::parts() const {
  std::vector<PartHealth> parts;
  for (const std::string& url : config_.nginx_status) {
    // It alone is no reason to take requests from any daemon.
    PartHealth part{"nginx " + short_name(url), true, "not asked yet"};
    const auto found = views_.find(url);
    if (found != views_.end() && !found->second.problem.empty()) {
      part.grade = Grade::failing;
      part.says = "its status page: " + found->second.problem;
    } else if (found != views_.end() && found->second.asked) {
      const View& view = found->second;
      std::optional<std::int64_t> failed_ago_ms;
      if (view.failed != std::chrono::steady_clock::time_point{}) {
        failed_ago_ms = std::chrono::duration_cast<Millis>(clock_.steady() - view.failed).count();
      }
      Judgement judgement = judge_nginx(view.state, failed_ago_ms, clock_.epoch_ms());
      part.grade = judgement.grade;
      part.says = std::move(judgement.says);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace cc
