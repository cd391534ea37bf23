#include "dispatch/stream.hpp"

#include <algorithm>
#include <stdexcept>

#include "beijing_time.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::chrono::milliseconds answer_time{5000};
// A batch of huge deliveries must still fit into one transaction's deadline, and into memory.
constexpr std::size_t most_bytes = std::size_t{16} << 20;

[[noreturn]] void refuse(const std::string& command, const redis::Reply& reply) {
  throw std::runtime_error("Redis answered " + command + " with: " + reply.text);
}

std::string trimmed_key(const std::string& stream) {
  return "cc:trimmed:" + stream;
}

std::string drained_key(const std::string& stream) {
  return "cc:drained:" + stream;
}

const redis::Reply* field(const redis::Reply& map, std::string_view name) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].text == name) return &map.items[i + 1];
  }
  return nullptr;
}

StreamId id_of(const redis::Reply* reply) {
  return reply == nullptr ? StreamId{} : parse_stream_id(reply->text).value_or(StreamId{});
}

std::int64_t number_of(const redis::Reply* reply) {
  return reply == nullptr ? 0 : reply->integer;
}

/// For a person: when that was.
std::string with_time(StreamId id) {
  std::string text = to_text(id);
  if (id.ms > 0) text += " (" + format_utc(static_cast<std::int64_t>(id.ms)) + ")";
  return text;
}

/// An id that we have noted under this key; 0-0 where there is none.
asio::awaitable<StreamId> noted(redis::Connection& redis, std::string key) {
  std::vector<std::string> words{"GET", key};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  if (reply.is_error()) refuse("GET " + key, reply);
  co_return parse_stream_id(reply.text).value_or(StreamId{});
}

/// False where Redis will not: when it is full it refuses to write, and must be drained all the
/// same.
asio::awaitable<bool> note(redis::Connection& redis, std::string key, StreamId id) {
  std::vector<std::string> words{"SET", std::move(key), to_text(id)};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  co_return !reply.is_error();
}

/// The newest entry up to `id`; 0-0 where there is none.
asio::awaitable<StreamId> newest_up_to(redis::Connection& redis, const std::string& stream,
                                       StreamId id) {
  std::vector<std::string> words{"XREVRANGE", stream, to_text(id), "-", "COUNT", "1"};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  if (reply.is_error()) refuse("XREVRANGE " + stream, reply);
  if (reply.items.empty() || reply.items[0].items.empty()) co_return StreamId{};
  co_return id_of(&reply.items[0].items[0]);
}

asio::awaitable<bool> has_entry(redis::Connection& redis, const std::string& stream, StreamId id) {
  std::vector<std::string> words{"XRANGE", stream, to_text(id), to_text(id), "COUNT", "1"};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  if (reply.is_error()) refuse("XRANGE " + stream, reply);
  co_return !reply.items.empty();
}

std::string all_fields(const std::vector<redis::Reply>& fields) {
  std::string text(many_fields_mark);
  text += std::to_string(fields.size() / 2) + "\n";
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    text += std::to_string(fields[i].text.size()) + " " +
            std::to_string(fields[i + 1].text.size()) + "\n" + fields[i].text + fields[i + 1].text;
  }
  return text;
}

std::vector<StreamEntry> entries_of(const redis::Reply& list) {
  std::vector<StreamEntry> entries;
  entries.reserve(list.items.size());
  for (const redis::Reply& item : list.items) {
    if (item.items.size() != 2) continue;
    StreamEntry entry;
    entry.id = id_of(&item.items[0]);
    const std::vector<redis::Reply>& fields = item.items[1].items;
    entry.malformed = fields.size() != 2;
    if (fields.size() >= 2) {
      entry.field = fields[0].text;
      entry.value = entry.malformed ? all_fields(fields) : fields[1].text;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

std::string to_text(StreamId id) {
  return std::to_string(id.ms) + "-" + std::to_string(id.sequence);
}

std::optional<StreamId> parse_stream_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto ms = parse_integer(text.substr(0, dash));
  const auto sequence = dash == std::string_view::npos ? std::optional<std::int64_t>{0}
                                                       : parse_integer(text.substr(dash + 1));
  if (!ms || !sequence || *ms < 0 || *sequence < 0) return std::nullopt;
  return StreamId{static_cast<std::uint64_t>(*ms), static_cast<std::uint64_t>(*sequence)};
}

StreamVerdict judge(const StreamPosition& remembered, const StreamState& now) {
  StreamVerdict verdict;
  const StreamId none{};
  const auto went_back = [&](const std::string& what) {
    verdict.went_back = true;
    verdict.says = "Redis went back: " + what + ". What it took between " +
                   with_time(now.last_kept) + " and " + with_time(remembered.highest) +
                   " is gone; the records have it up to " + with_time(remembered.cursor) +
                   ", what came later is lost unless a spool or the channel still has it. "
                   "Reading again from 0-0";
  };
  const bool fresh = now.drained == none && now.trimmed_to == none;
  if (remembered.cursor == none && remembered.highest == none && fresh) return verdict;
  if (!now.exists && remembered.highest != none) {
    went_back("the stream is gone");
  } else if (now.last_generated < remembered.highest) {
    went_back("its last id is " + to_text(now.last_generated));
  } else if (now.entries_added < remembered.entries_added) {
    went_back("it has taken " + std::to_string(now.entries_added) + " entries, we had seen " +
              std::to_string(remembered.entries_added));
  } else if (remembered.cursor > now.trimmed_to && !now.cursor_entry) {
    went_back("the entry at our cursor is not there");
  } else if (remembered.highest > now.trimmed_to && !now.highest_entry) {
    went_back("the highest entry that we have seen is not there");
  } else if (remembered.cursor < now.trimmed_to &&
             (remembered.cursor != none || remembered.highest == none)) {
    // (A cursor at 0-0 with a highest id is ours, after a Redis that went back.)
    verdict.trimmed_past = true;
    verdict.says = "PostgreSQL went back further than the stream reaches: our cursor is " +
                   with_time(remembered.cursor) + ", the stream was trimmed up to " +
                   with_time(now.trimmed_to) +
                   "; deliveries between the two are lost unless a spool "
                   "or the channel still has them";
  } else if (now.exists && remembered.cursor < now.drained) {
    verdict.set_back = true;
    verdict.says = "PostgreSQL went back: the stream had been drained up to " +
                   with_time(now.drained) + ", the cursor says " + with_time(remembered.cursor) +
                   ". The deliveries between the two are read again; what applications asked for "
                   "in that time is known only as far as the channels tell of it";
  }
  return verdict;
}

asio::awaitable<StreamState> inspect(redis::Connection& redis, const std::string& stream,
                                     const StreamPosition& remembered) {
  StreamState state;
  std::vector<std::string> words{"XINFO", "STREAM", stream};
  const redis::Reply info = co_await redis.command(std::move(words), answer_time);
  if (info.is_error()) {
    if (info.text.find("no such key") == std::string::npos) refuse("XINFO STREAM " + stream, info);
  } else {
    state.exists = true;
    state.length = number_of(field(info, "length"));
    state.entries_added = number_of(field(info, "entries-added"));
    state.last_generated = id_of(field(info, "last-generated-id"));
    if (const redis::Reply* first = field(info, "first-entry");
        first != nullptr && !first->items.empty()) {
      state.first = id_of(&first->items[0]);
    }
  }
  state.trimmed_to = co_await noted(redis, trimmed_key(stream));
  state.drained = co_await noted(redis, drained_key(stream));
  if (state.exists) {
    state.cursor_entry = co_await has_entry(redis, stream, remembered.cursor);
    state.last_kept = co_await newest_up_to(redis, stream, remembered.highest);
    state.highest_entry = state.last_kept == remembered.highest;
  }
  words = {"INFO", "server"};
  const redis::Reply server = co_await redis.command(std::move(words), answer_time);
  if (const std::size_t at = server.text.find("run_id:"); at != std::string::npos) {
    state.run_id = server.text.substr(at + 7, 40);
  }
  co_return state;
}

asio::awaitable<std::vector<StreamEntry>> read_after(redis::Connection& redis,
                                                     const std::string& stream, StreamId from,
                                                     std::size_t count,
                                                     std::chrono::milliseconds block) {
  std::vector<std::string> words{"XREAD", "COUNT", std::to_string(count)};
  words.insert(words.end(), {"BLOCK", std::to_string(block.count())});
  words.insert(words.end(), {"STREAMS", stream, to_text(from)});
  const redis::Reply reply = co_await redis.command(std::move(words), block + answer_time);
  if (reply.is_error()) refuse("XREAD " + stream, reply);
  if (reply.items.empty() || reply.items[0].items.size() != 2) co_return std::vector<StreamEntry>{};
  std::vector<StreamEntry> entries = entries_of(reply.items[0].items[1]);
  std::size_t bytes = 0;
  const auto beyond = std::find_if(entries.begin(), entries.end(), [&](const StreamEntry& entry) {
    bytes += entry.value.size();
    return bytes > most_bytes;
  });
  if (beyond != entries.end()) entries.erase(std::max(beyond, entries.begin() + 1), entries.end());
  co_return entries;
}

asio::awaitable<void> trim_below(redis::Connection& redis, const std::string& stream, StreamId id) {
  const bool noted = co_await note(redis, trimmed_key(stream), id);
  std::vector<std::string> words{"XTRIM", stream, "MINID", "~", to_text(id)};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  if (reply.is_error()) refuse("XTRIM " + stream, reply);
  // A full one has room now.
  if (!noted) co_await note(redis, trimmed_key(stream), id);
}

asio::awaitable<bool> note_drained(redis::Connection& redis, const std::string& stream,
                                   StreamId cursor) {
  co_return co_await note(redis, drained_key(stream), cursor);
}

asio::awaitable<Unread> look_beyond(redis::Connection& redis, const std::string& stream,
                                    StreamId cursor) {
  Unread unread;
  std::vector<std::string> words{"XINFO", "STREAM", stream};
  const redis::Reply info = co_await redis.command(std::move(words), answer_time);
  if (info.is_error()) {
    if (info.text.find("no such key") == std::string::npos) refuse("XINFO STREAM " + stream, info);
    co_return unread;
  }
  unread.entries_added = number_of(field(info, "entries-added"));
  if (id_of(field(info, "last-generated-id")) <= cursor) co_return unread;
  words = {"XRANGE", stream, "(" + to_text(cursor), "+", "COUNT", "1"};
  const redis::Reply first = co_await redis.command(std::move(words), answer_time);
  if (first.is_error()) refuse("XRANGE " + stream, first);
  if (!first.items.empty() && !first.items[0].items.empty()) {
    unread.first = id_of(&first.items[0].items[0]);
  }
  co_return unread;
}

asio::awaitable<std::uint64_t> memory_of(redis::Connection& redis, const std::string& stream) {
  std::vector<std::string> words{"MEMORY", "USAGE", stream, "SAMPLES", "16"};
  const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
  if (reply.is_error()) refuse("MEMORY USAGE " + stream, reply);
  co_return static_cast<std::uint64_t>(std::max<std::int64_t>(reply.integer, 0));
}

asio::awaitable<std::vector<std::string>> find_streams(redis::Connection& redis,
                                                       const std::string& prefix) {
  std::vector<std::string> found;
  std::string position = "0";
  do {
    std::vector<std::string> words{"SCAN", position, "MATCH", prefix + "*", "COUNT", "512"};
    const redis::Reply reply = co_await redis.command(std::move(words), answer_time);
    if (reply.is_error() || reply.items.size() != 2) refuse("SCAN", reply);
    position = reply.items[0].text;
    for (const redis::Reply& key : reply.items[1].items) {
      const auto number = parse_integer(std::string_view(key.text).substr(prefix.size()));
      if (number && *number >= 0) found.push_back(key.text);
    }
  } while (position != "0");
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  co_return found;
}

}  // namespace cc
