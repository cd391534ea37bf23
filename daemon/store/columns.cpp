#include "store/columns.hpp"

#include <array>
#include <charconv>

#include "text.hpp"

namespace cc {
namespace {

using Text = std::optional<std::string>;

template <auto Member>
Text get_text(const Folded& folded) {
  return folded.*Member;
}

template <auto Member>
void set_text(Folded& folded, Text value) {
  if constexpr (std::is_same_v<std::decay_t<decltype(folded.*Member)>, std::string>) {
    folded.*Member = value.value_or("");
  } else {
    folded.*Member = std::move(value);
  }
}

template <auto Member>
Text get_number(const Folded& folded) {
  const auto& value = folded.*Member;
  if (!value) return std::nullopt;
  return std::to_string(*value);
}

template <auto Member>
void set_number(Folded& folded, Text value) {
  folded.*Member = value ? parse_integer(*value) : std::nullopt;
}

template <auto Member>
Text get_flag(const Folded& folded) {
  return folded.*Member ? "t" : "f";
}

template <auto Member>
void set_flag(Folded& folded, Text value) {
  folded.*Member = value == "t";
}

template <auto Member>
constexpr FoldedColumn text(const char* name) {
  return {name, "text", get_text<Member>, set_text<Member>};
}

template <auto Member>
constexpr FoldedColumn number(const char* name, const char* type = "bigint") {
  return {name, type, get_number<Member>, set_number<Member>};
}

template <auto Member>
constexpr FoldedColumn flag(const char* name) {
  return {name, "boolean", get_flag<Member>, set_flag<Member>};
}

constexpr std::array columns{
    text<&Folded::agent>("agent"),
    text<&Folded::channel>("channel"),
    text<&Folded::call_id>("call_id"),
    text<&Folded::caller>("caller"),
    text<&Folded::called>("called"),
    text<&Folded::ch_state>("ch_state"),
    text<&Folded::state>("state"),
    text<&Folded::progress>("progress"),
    number<&Folded::a_call_time>("a_call_time"),
    number<&Folded::b_call_time>("b_call_time"),
    number<&Folded::a_offhook_time>("a_offhook_time"),
    number<&Folded::b_offhook_time>("b_offhook_time"),
    number<&Folded::conn_time>("conn_time"),
    number<&Folded::close_time>("close_time"),
    number<&Folded::duration>("duration", "int"),
    text<&Folded::ch_audio_url>("ch_audio_url"),
    text<&Folded::audio_url>("audio_url"),
    text<&Folded::ivr_url>("ivr_url"),
    text<&Folded::ivr_text>("ivr_text"),
    text<&Folded::close_type>("close_type"),
    text<&Folded::close_detail>("close_detail"),
    text<&Folded::closed_by>("closed_by"),
    text<&Folded::close_source>("close_source"),
    text<&Folded::recording_state>("recording_state"),
    text<&Folded::recording_reason>("recording_reason"),
    number<&Folded::recording_expected_at>("recording_expected_at"),
    flag<&Folded::late_life>("late_life"),
    flag<&Folded::truncated>("truncated"),
};

std::string make_record_columns() {
  std::string list =
      "id, tenant, direction, initiator, main_num, ext_num, business, biz_type, biz_id, biz_data, "
      "user_id, display_requested, max_duration, record, recovered, created, updated, version";
  for (const FoldedColumn& column : columns) {
    list += ", ";
    list += column.name;
  }
  return list;
}

}  // namespace

std::span<const FoldedColumn> folded_columns() {
  return columns;
}

const std::string& record_columns() {
  static const std::string list = make_record_columns();
  return list;
}

StoredRecord record_from_row(const pg::Rows& rows, std::size_t row) {
  StoredRecord record;
  Constants& constants = record.constants;
  constants.id = rows.integer(row, "id");
  constants.tenant = rows.text(row, "tenant");
  constants.direction = rows.text(row, "direction");
  constants.initiator = rows.text(row, "initiator");
  constants.main_num = rows.opt_text(row, "main_num");
  constants.ext_num = rows.opt_text(row, "ext_num");
  constants.business = rows.opt_text(row, "business");
  constants.biz_type = rows.opt_text(row, "biz_type");
  constants.biz_id = rows.opt_text(row, "biz_id");
  constants.biz_data = rows.opt_text(row, "biz_data");
  constants.user_id = rows.opt_text(row, "user_id");
  constants.display_requested = rows.opt_text(row, "display_requested");
  constants.max_duration = static_cast<int>(rows.integer(row, "max_duration"));
  constants.record = rows.boolean(row, "record");
  constants.recovered = rows.boolean(row, "recovered");
  constants.created = rows.integer(row, "created");
  record.updated = rows.integer(row, "updated");
  record.version = rows.integer(row, "version");
  for (const FoldedColumn& column : columns) {
    column.set(record.folded, rows.opt_text(row, column.name));
  }
  // An outbound call's numbers are constants, and the columns hold them from the first day. A
  // recovered call has none of its own: its events supply them, as with an inbound call.
  if (constants.direction == "out" && !constants.recovered) {
    constants.caller = record.folded.caller;
    constants.called = record.folded.called;
  }
  return record;
}

}  // namespace cc
