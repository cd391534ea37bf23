#include "dispatch/recovery.hpp"

#include <set>

namespace cc {
namespace {

constexpr std::string_view make_record_sql =
    "INSERT INTO call_record (id, tenant, direction, initiator, max_duration, recovered, created, "
    "updated) "
    "VALUES ($1, $2, 'out', 'agent', 3600, true, $3, $4) ON CONFLICT (id) DO NOTHING";

constexpr std::string_view make_attempt_sql =
    "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, channel_call_id, "
    "state, reason, "
    "created, sent) VALUES ($1, $2, $3, $4, $5, $6, $7, 'accepted', $8, $9, $9) ON CONFLICT DO "
    "NOTHING";

constexpr std::string_view reason = "recovered: the channel echoed an id that had no record";

}  // namespace

asio::awaitable<NewEvents> recover_calls(pg::Transaction& transaction, const Channels& channels,
                                         const std::vector<std::int64_t>& calls, NewEvents events,
                                         std::int64_t now_ms) {
  NewEvents recovered;
  std::vector<pg::Statement> statements;
  for (const std::int64_t call : calls) {
    std::vector<NewEvent>& list = events[call];
    if (list.empty()) continue;
    const std::int64_t created = call_id_time_ms(call);
    std::string tenant;
    std::set<int> attempts;
    std::vector<NewEvent> planned;
    for (const NewEvent& item : list) {
      const auto channel = channels.find(item.channel);
      if (tenant.empty() && channel != nullptr) tenant = channel->config.default_tenant;
      const int number = item.event.attempt > 0 ? item.event.attempt : 1;
      if (!attempts.insert(number).second) continue;
      Facts facts;
      facts.channel = item.channel;
      facts.agent = item.event.facts.caller;
      facts.reason = reason;
      planned.push_back(own_event(call, number, EventName::attempt_planned, created, facts));
      statements.push_back(
          {make_attempt_sql, pg::params(call, number, tenant, item.channel,
                                        facts.agent.value_or(""), item.event.facts.caller,
                                        item.channel_call_id.empty() ? std::optional<std::string>{}
                                                                     : item.channel_call_id,
                                        reason, created)});
      // Another call bears the channel's id: this one has an attempt all the same.
      statements.push_back({make_attempt_sql,
                            pg::params(call, number, tenant, item.channel, facts.agent.value_or(""),
                                       item.event.facts.caller, nullptr, reason, created)});
    }
    statements.insert(statements.begin(),
                      {make_record_sql, pg::params(call, tenant, created, now_ms)});
    list.insert(list.end(), planned.begin(), planned.end());
    recovered[call] = std::move(list);
  }
  co_await transaction.pipeline(std::move(statements));
  co_return recovered;
}

}  // namespace cc
