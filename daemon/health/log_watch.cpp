#include "health/log_watch.hpp"

#include <algorithm>
#include <exception>
#include <string_view>

#include "text.hpp"

namespace cc {
namespace {

constexpr Millis connect_time{2000}, answer_time{2000};

constexpr std::string_view cursors_sql =
    "SELECT stream, entry_id, drained FROM stream_cursor WHERE starts_with(stream, $1) "
    "ORDER BY stream";

/// A line "name:value" of INFO's answer.
std::string_view info_of(std::string_view info, std::string_view name) {
  const std::string line = "\n" + std::string(name) + ":";
  const std::size_t at = info.find(line);
  if (at == std::string_view::npos) return {};
  info.remove_prefix(at + line.size());
  return trim(info.substr(0, info.find('\n')));
}

}  // namespace

asio::awaitable<void> LogWatch::read_cursors() {
  std::string prefix = parts_.config.stream.prefix;
  const pg::Rows rows = co_await parts_.pool.query(cursors_sql, pg::params(prefix));
  cursors_.clear();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Cursor cursor;
    cursor.stream = rows.text(row, "stream");
    cursor.at = parse_stream_id(rows.text(row, "entry_id")).value_or(StreamId{});
    cursor.drained_ms = rows.integer(row, "drained");
    cursors_.push_back(std::move(cursor));
  }
}

asio::awaitable<void> LogWatch::ask_redis() {
  if (!redis_ || !redis_->usable()) {
    const auto executor = co_await asio::this_coro::executor;
    redis_ = co_await redis::Connection::connect(executor, parts_.config.redis, connect_time);
  }
  RedisState state;
  const auto asked = parts_.clock.steady();
  std::vector<std::string> words{"PING"};
  const redis::Reply pong = co_await redis_->command(std::move(words), answer_time);
  if (pong.is_error()) throw std::runtime_error("it answers PING with: " + pong.text);
  state.took_ms = std::chrono::duration_cast<Millis>(parts_.clock.steady() - asked).count();
  words = {"INFO", "memory"};
  const redis::Reply memory = co_await redis_->command(std::move(words), answer_time);
  state.used_bytes = parse_integer(info_of(memory.text, "used_memory")).value_or(0);
  state.most_bytes = parse_integer(info_of(memory.text, "maxmemory")).value_or(0);
  words = {"INFO", "persistence"};
  const redis::Reply persistence = co_await redis_->command(std::move(words), answer_time);
  state.append_failed = info_of(persistence.text, "aof_last_write_status") == "err";
  state_ = std::move(state);

  std::vector<StreamBacklog> backlogs;
  const std::vector<Dispatcher::View> views = dispatcher_.views();
  const std::vector<Cursor> cursors = cursors_;
  for (const Cursor& cursor : cursors) {
    StreamBacklog backlog;
    backlog.stream = cursor.stream;
    const auto ours = std::find_if(views.begin(), views.end(), [&](const auto& view) {
      return view.draining && view.stream == cursor.stream;
    });
    const StreamId from = ours == views.end() ? cursor.at : std::max(ours->cursor, cursor.at);
    const Unread unread = co_await look_beyond(*redis_, cursor.stream, from);
    backlog.oldest_ms = static_cast<std::int64_t>(unread.first.ms);
    if (ours != views.end() && ours->taken) {
      backlog.entries = std::max<std::int64_t>(unread.entries_added - *ours->taken, 0);
    }
    backlogs.push_back(std::move(backlog));
  }
  backlogs_ = std::move(backlogs);
}

asio::awaitable<void> LogWatch::look() {
  try {
    co_await read_cursors();
  } catch (const pg::Failure&) {  // the part "postgresql" says so; the cursors stay as they were
  }
  std::string problem;
  try {
    co_await ask_redis();
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    problem = error.what();
  } catch (const std::runtime_error& error) {
    problem = error.what();
  }
  looked_ = true;
  if (problem.empty()) co_return;
  state_ = RedisState{};
  state_.problem = std::move(problem);
}

std::vector<PartHealth> LogWatch::parts() const {
  std::vector<PartHealth> parts;
  // Whether this daemon can do without them is the dispatcher's to say.
  const auto add = [&](std::string name, Judgement judgement) {
    PartHealth part{std::move(name), true, std::move(judgement.says)};
    part.grade = judgement.grade;
    parts.push_back(std::move(part));
  };
  const Judgement unknown{Grade::ok, "not looked at yet"};
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  add("redis", looked_ ? judge_redis(state_) : unknown);
  Judgement streams = looked_ ? judge_backlog(backlogs_, now_ms) : unknown;
  if (looked_ && !state_.problem.empty()) {
    streams = {std::max(streams.grade, Grade::degraded),
               "not known while Redis is away; when it was seen last: " + streams.says};
  }
  add("streams", std::move(streams));
  std::int64_t drained_ms = now_ms;
  const std::vector<Dispatcher::View> views = dispatcher_.views();
  for (const Cursor& cursor : cursors_) {
    std::int64_t least = cursor.drained_ms;
    for (const auto& view : views) {
      if (view.draining && view.stream == cursor.stream) least = std::max(least, view.drained_ms);
    }
    drained_ms = std::min(drained_ms, least);
  }
  add("drained", cursors_.empty() ? unknown : judge_drained(drained_ms, now_ms));
  return parts;
}

}  // namespace cc
