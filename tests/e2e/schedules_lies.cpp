#include "schedules_lies.hpp"

namespace cc::test {
namespace {

/// Changes the first dial, or record, that the condition holds of.
template <class When, class Change>
std::function<bool(ScheduleOracle&)> of_dial(When when, Change change) {
  return [=](ScheduleOracle& oracle) {
    for (Dial& dial : oracle.journals().dials()) {
      if (!when(dial)) continue;
      change(dial);
      return true;
    }
    return false;
  };
}

template <class When, class Change>
std::function<bool(ScheduleOracle&)> of_record(When when, Change change) {
  return [=](ScheduleOracle& oracle) {
    for (auto& [call, record] : oracle.kept().records) {
      if (!when(record)) continue;
      change(record);
      return true;
    }
    return false;
  };
}

bool rang(const Dial& dial) {
  return dial.rings_a == 1 && dial.freed != 0;
}
bool told_by_callback(const KeptRecord& record) {
  return record.source == "callback" && record.type == "0";
}
bool failed_over(const KeptRecord& record) {
  return record.attempts.size() > 1;
}

/// The second of two claims on one resource is taken before the first is let go.
bool claim_twice(ScheduleOracle& oracle) {
  std::vector<KeptClaim>& claims = oracle.kept().claims;
  for (std::size_t i = 1; i < claims.size(); ++i) {
    if (claims[i].resource != claims[i - 1].resource || claims[i].kind != claims[i - 1].kind) {
      continue;
    }
    claims[i].taken = claims[i - 1].released - 5000;
    return true;
  }
  return false;
}

bool claim_held(ScheduleOracle& oracle) {
  oracle.kept().claims.front().released = 0;
  return true;
}

/// Of two calls of one handset at two channels the first lasts until the second.
bool handset_twice(ScheduleOracle& oracle) {
  std::map<std::string, Dial*> seen;
  for (Dial& dial : oracle.journals().dials()) {
    if (!rang(dial)) continue;
    Dial*& other = seen[dial.handset];
    if (other != nullptr && other->channel != dial.channel && other->freed < dial.rang) {
      // Whose end nobody but our own clock told may do so.
      for (auto& [call, record] : oracle.kept().records) record.our_clock = false;
      other->freed = dial.rang + 100;
      return true;
    }
    other = &dial;
  }
  return false;
}

bool record_gone(ScheduleOracle& oracle) {
  const auto first = oracle.kept().records.begin();
  oracle.kept().calls.erase(first->second.schedule);
  oracle.kept().records.erase(first);
  return true;
}

}  // namespace

const std::vector<ScheduleLie>& schedule_lies() {
  static const std::vector<ScheduleLie> all{
      {"leg A rung more than once", of_dial(rang, [](Dial& dial) { ++dial.rings_a; })},
      {"leg B rung more than once", of_dial([](const Dial& dial) { return dial.rings_b == 1; },
                                            [](Dial& dial) { ++dial.rings_b; })},
      {"asked for after its 15 s", of_dial(rang, [](Dial& dial) { dial.at += 20'000; })},
      {"closed wrongly", of_record(told_by_callback, [](KeptRecord& one) { one.type = "3"; })},
      {"another duration",
       of_record(told_by_callback, [](KeptRecord& one) { one.duration = "77"; })},
      {"the channel told its end, but the record has another's word",
       of_record(told_by_callback, [](KeptRecord& one) { one.source = "cc"; })},
      {"not closed", of_record(told_by_callback, [](KeptRecord& one) { one.state = "conn"; })},
      {"another attempt shows in the record",
       of_record(failed_over,
                 [](KeptRecord& one) { one.channel = one.attempts.front().channel + "x"; })},
      {"begun after 15 s",
       of_record(failed_over, [](KeptRecord& one) { one.attempts.back().created += 20'000; })},
      {"an abandoned attempt lives and was not hung up", of_record(failed_over,
                                                                   [](KeptRecord& one) {
                                                                     one.attempts.front().alive =
                                                                         true;
                                                                     one.attempts.front().hung_up =
                                                                         false;
                                                                   })},
      {"left for another although it was not refused",
       of_record(failed_over, [](KeptRecord& one) { one.attempts.front().state = "unknown"; })},
      {"left for another although nobody could know",
       [](ScheduleOracle& oracle) {
         for (const auto& [call, record] : oracle.kept().records) {
           if (!failed_over(record)) continue;
           for (Dial& dial : oracle.journals().dials()) {
             if (dial.call != call || dial.attempt != 1 || dial.code.empty()) continue;
             dial.code = "900201";
             return true;
           }
         }
         return false;
       }},
      {"left for another although it rang",
       [](ScheduleOracle& oracle) {
         for (const auto& [call, record] : oracle.kept().records) {
           if (!failed_over(record)) continue;
           for (Dial& dial : oracle.journals().dials()) {
             if (dial.call != call || dial.attempt != 1) continue;
             dial.rings_a = 1;
             return true;
           }
         }
         return false;
       }},
      {"accepted, but there is not just its record", record_gone},
      {"two claims at once", claim_twice},
      {"a claim is held for ever", claim_held},
      {"a handset rings twice at once", handset_twice}};
  return all;
}

}  // namespace cc::test
