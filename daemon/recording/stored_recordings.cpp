#include "recording/stored_recordings.hpp"

#include <string_view>
#include <utility>

namespace cc {
namespace {

// A channel may name its recording so long after the call's end, in a delivery of its own.
constexpr std::int64_t named_within_ms = std::int64_t{24} * 3'600'000;

constexpr std::string_view row_sql =
    "SELECT c.id, c.merged_into, c.state AS call_state, c.conn_time, c.close_time, c.record, "
    "c.ch_audio_url IS NOT NULL AS named, c.recording_state, c.recording_reason, "
    "c.recording_expected_at, r.state, r.due, r.problem, r.object, r.size, r.content_type, r.store "
    "FROM call_record c LEFT JOIN recording r ON r.call = c.id AND r.file = $3 "
    "WHERE c.id = $1 AND c.tenant = $2";

/// There is none, and why.
struct None {
  std::string reason;
  bool later = false;
};

None none_of_ivr(const pg::Rows& rows) {
  if (rows.text(0, "call_state") != "close") return {"The call is not over yet.", true};
  return {"The channel named no IVR file.", false};
}

/// Of a call that no row of `recording` tells of.
None none_of(const pg::Rows& rows, std::int64_t now_ms) {
  if (!rows.boolean(0, "record")) return {"A recording was not asked for.", false};
  if (rows.text(0, "call_state") != "close") return {"The call is not over yet.", true};
  if (rows.is_null(0, "conn_time")) return {"The call was never connected.", false};
  if (rows.boolean(0, "named")) {
    return {"The call is from before CC fetched recordings; the channel may have it no longer.",
            false};
  }
  const OptMs closed = rows.opt_integer(0, "close_time");
  const bool later = closed && now_ms - *closed < named_within_ms;
  return {later ? "The channel has named no recording so far." : "The channel named no recording.",
          later};
}

std::string given_up(const pg::Rows& rows, bool ivr) {
  const OptText reason = rows.opt_text(0, ivr ? "problem" : "recording_reason");
  if (!reason || reason->empty()) return "CC could not get it from the channel.";
  return "Given up: " + *reason + ".";
}

/// "912680550400000001.mp3", the end of an object's name.
std::string file_name_of(const std::string& object) {
  const auto slash = object.rfind('/');
  return slash == std::string::npos ? object : object.substr(slash + 1);
}

}  // namespace

/// One row, or none. Of a call that was merged, the survivor's.
asio::awaitable<pg::Rows> StoredRecordings::read(std::string tenant, std::int64_t call, bool ivr) {
  const char* const file = ivr ? "ivr" : "audio";
  auto reading = pool_.query(row_sql, pg::params(call, tenant, file));
  pg::Rows rows = co_await std::move(reading);
  if (!rows.empty() && !rows.is_null(0, "merged_into")) {
    auto again = pool_.query(row_sql, pg::params(rows.integer(0, "merged_into"), tenant, file));
    rows = co_await std::move(again);
  }
  co_return rows;
}

asio::awaitable<std::optional<RecordingStatus>> StoredRecordings::status(std::string tenant,
                                                                         std::int64_t call,
                                                                         bool ivr) {
  auto reading = read(std::move(tenant), call, ivr);
  const pg::Rows rows = co_await std::move(reading);
  if (rows.empty()) co_return std::nullopt;
  RecordingStatus status;
  status.call = rows.integer(0, "id");
  const std::string state = rows.opt_text(0, "state").value_or("");
  // The record outlives the row of what was deleted.
  const bool deleted =
      state == "deleted" || (!ivr && rows.opt_text(0, "recording_state") == "deleted");
  const auto none = [&](None why) {
    status.reason = std::move(why.reason);
    status.later = why.later;
  };
  if (deleted) {
    status.state = RecordingStatus::State::deleted;
    if (!ivr) status.reason = rows.opt_text(0, "recording_reason").value_or("");
  } else if ((state == "stored" || state == "expected") && store_ == nullptr) {
    none({"No store for recordings is configured.", false});
  } else if (state == "stored") {
    status.state = RecordingStatus::State::stored;
    status.size = static_cast<std::uint64_t>(rows.opt_integer(0, "size").value_or(0));
    status.content_type = rows.opt_text(0, "content_type").value_or("");
  } else if (state == "expected") {
    status.state = RecordingStatus::State::expected;
    const OptMs due = rows.opt_integer(0, "due");
    status.expected_at = due ? due : rows.opt_integer(0, "recording_expected_at");
  } else if (state == "absent") {
    none({given_up(rows, ivr), false});
  } else {
    none(ivr ? none_of_ivr(rows) : none_of(rows, clock_.epoch_ms()));
  }
  co_return status;
}

asio::awaitable<std::optional<RecordingLink>> StoredRecordings::link(std::string tenant,
                                                                     std::int64_t call, bool ivr,
                                                                     std::optional<int> ttl) {
  const auto store = store_;
  const int seconds = ttl.value_or(ttl_);
  auto reading = read(std::move(tenant), call, ivr);
  const pg::Rows rows = co_await std::move(reading);
  const bool stored = !rows.empty() && rows.opt_text(0, "state") == "stored";
  if (!stored || store == nullptr) co_return std::nullopt;
  const OptText lies_in = rows.opt_text(0, "store");
  if (lies_in && *lies_in != store->identity()) {
    throw StoreAway("call " + std::to_string(rows.integer(0, "id")) + ": its recording lies in " +
                    *lies_in + ", but this daemon's store is " + store->identity() +
                    "; configure the one that it was put into (recordings.store), or move it");
  }
  SignWish wish;
  wish.name = rows.opt_text(0, "object").value_or("");
  if (wish.name.empty()) co_return std::nullopt;
  wish.now_ms = clock_.epoch_ms();
  wish.ttl = seconds;
  wish.file_name = file_name_of(wish.name);
  wish.content_type = rows.opt_text(0, "content_type").value_or("");
  RecordingLink link;
  SignedUrl signed_url = store->signed_url(wish);
  link.url = std::move(signed_url.url);
  link.expires_at = signed_url.expires_ms;
  co_return link;
}

}  // namespace cc
