#include "store/recording_rows.hpp"

namespace cc {
namespace {

// A better address than the one before counts, unless the file is in our hands by now.
constexpr std::string_view insert_sql =
    "INSERT INTO recording AS r (call, file, tenant, channel, agent, channel_call_id, source, "
    "closed) SELECT * FROM unnest($1::bigint[], $2::varchar[], $3::varchar[], $4::varchar[], "
    "$5::varchar[], $6::varchar[], $7::text[], $8::bigint[]) "
    "ON CONFLICT (call, file) DO UPDATE SET source = excluded.source, channel = excluded.channel, "
    "agent = excluded.agent, channel_call_id = excluded.channel_call_id, closed = excluded.closed, "
    "state = 'expected', due = NULL, tries = 0, problem = NULL "
    "WHERE r.state IN ('expected', 'absent') AND r.source <> excluded.source";

/// The record's column holds 512 characters of it.
std::string whole_of(const std::string& cut, const std::vector<Event>& history) {
  for (const Event& event : history) {
    const Facts& facts = event.facts;
    if (facts.ch_audio_url == cut && facts.ch_audio_url_whole) return *facts.ch_audio_url_whole;
  }
  return cut;
}

bool is_known(const OptText& address) {
  return address && !address->empty();
}

}  // namespace

void RecordingRows::add(const StoredRecord& before, const Folded& after,
                        const std::vector<Event>& history, std::int64_t at_ms) {
  if (after.state != "close" || !after.channel) return;
  const Folded& was = before.folded;
  const bool closed = was.state != "close";
  const bool wanted = after.recording_state == "expected" || after.recording_state == "absent";
  if (wanted && is_known(after.ch_audio_url) && (closed || after.ch_audio_url != was.ch_audio_url)) {
    add_file("audio", before, after, whole_of(*after.ch_audio_url, history), at_ms);
  }
  const bool ivr_done = [&] {
    for (const Event& event : history) {
      const bool over =
          event.name == EventName::recording_stored || event.name == EventName::recording_deleted;
      if (over && event.source == Source::cc && event.facts.file == "ivr") return true;
    }
    return false;
  }();
  if (!ivr_done && is_known(after.ivr_url) && (closed || after.ivr_url != was.ivr_url)) {
    add_file("ivr", before, after, *after.ivr_url, at_ms);
  }
}

void RecordingRows::add_file(const char* file, const StoredRecord& before, const Folded& after,
                             const std::string& source, std::int64_t at_ms) {
  calls_.push_back(before.constants.id);
  files_.emplace_back(file);
  tenants_.push_back(before.constants.tenant);
  channels_.push_back(*after.channel);
  agents_.push_back(after.agent);
  channel_call_ids_.push_back(after.call_id);
  sources_.push_back(source);
  closed_.push_back(after.close_time.value_or(at_ms));
}

pg::Statement RecordingRows::statement() const {
  return {insert_sql,
          {pg::array(calls_), pg::array(files_), pg::array(tenants_), pg::array(channels_),
           pg::array(agents_), pg::array(channel_call_ids_), pg::array(sources_),
           pg::array(closed_)}};
}

}  // namespace cc
