#include "schedules_records.hpp"

#include <sstream>
#include <stdexcept>

namespace cc::test {
namespace {

/// Rows of a statement that gives one text a row, its columns between bars.
std::vector<std::vector<std::string>> rows_of(const Stack& stack, const std::string& columns,
                                              const std::string& rest) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(
      stack.sql("SELECT array_to_string(ARRAY[" + columns + "]::text[], '|', '') " + rest));
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> row;
    line += '|';
    for (std::size_t from = 0, to = 0; (to = line.find('|', from)) != std::string::npos;
         from = to + 1) {
      row.push_back(line.substr(from, to - from));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Instant instant(const std::string& text) {
  return text.empty() ? 0 : std::stoll(text);
}

}  // namespace

KeptRecords::KeptRecords(const Stack& stack) {
  for (const auto& row : rows_of(stack,
                                 "id::text, biz_id, state, close_type, close_detail, close_source, "
                                 "channel, agent, caller, call_id, duration::text, created::text, "
                                 "EXISTS (SELECT 1 FROM call_event e WHERE e.call = r.id AND "
                                 "e.name IN ('reaped', 'hangup.closed'))::text",
                                 "FROM call_record r WHERE merged_into IS NULL")) {
    KeptRecord& one = records[row.at(0)];
    std::size_t column = 0;
    for (std::string* word :
         {&one.call, &one.schedule, &one.state, &one.type, &one.detail, &one.source, &one.channel,
          &one.agent, &one.caller, &one.channel_call_id, &one.duration}) {
      *word = row.at(column++);
    }
    one.created = instant(row.at(column++));
    one.our_clock = row.at(column) == "true";
    calls.emplace(one.schedule, one.call);
  }
  const std::string told =
      "EXISTS (SELECT 1 FROM call_event e WHERE e.call = a.call AND e.attempt = a.attempt AND "
      "e.source <> 'cc' AND e.name ";
  for (const auto& row :
       rows_of(stack,
               "call::text, attempt::text, channel, agent, handset, state, code, channel_call_id, "
               "superseded::text, created::text, sent::text, (" +
                   told + "<> 'closed'))::text, (hangup_accepted IS NOT NULL OR " + told +
                   "= 'closed'))::text",
               "FROM call_attempt a ORDER BY call, attempt")) {
    const auto record = records.find(row.at(0));
    if (record == records.end())
      throw std::runtime_error("an attempt without a record: " + row.at(0));
    KeptAttempt one;
    one.number = std::stoi(row.at(1));
    std::size_t column = 2;
    for (std::string* word :
         {&one.channel, &one.agent, &one.handset, &one.state, &one.code, &one.channel_call_id}) {
      *word = row.at(column++);
    }
    one.superseded = row.at(column++) == "true";
    one.created = instant(row.at(column++));
    one.sent = instant(row.at(column++));
    one.alive = row.at(column++) == "true";
    one.hung_up = row.at(column) == "true";
    record->second.attempts.push_back(std::move(one));
  }
  for (const auto& row : rows_of(stack,
                                 "id::text, kind, resource, call::text, attempt::text, "
                                 "taken::text, released::text",
                                 "FROM claim ORDER BY kind, resource, id")) {
    claims.push_back({std::stol(row.at(0)), row.at(1), row.at(2), row.at(3), std::stoi(row.at(4)),
                      instant(row.at(5)), instant(row.at(6))});
  }
}

}  // namespace cc::test
