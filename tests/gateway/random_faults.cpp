#include "random_faults.hpp"

#include <numeric>
#include <random>
#include <string_view>

#include <boost/json/array.hpp>

#include "../simulator/dice.hpp"
#include "fields.hpp"

namespace gateway {

namespace json = boost::json;

namespace {

constexpr std::int64_t longest_pause = 600'000;

constexpr std::array<std::string_view, 8> answer_names{
    "refuse", "refuseOther", "error", "errorDialled", "drop", "dropDialled", "hang", "hangDialled"};
constexpr std::array<std::string_view, 5> never_dialled{"000-003", "100-006", "105-005", "105-006",
                                                        "105-007"};
constexpr std::array<std::string_view, 3> other_codes{"100-018", "100-014", "999-999"};
constexpr std::array<unsigned int, 4> statuses{500, 502, 503, 504};
constexpr std::array<std::string_view, 10> call_events{
    "AgentOther_PhoneAlerting",     "AgentOther_PhoneOffhook",     "AgentState_Busy",
    "AgentEvent_Customer_Alerting", "AgentEvent_Talking",          "AgentEvent_Call_Out_Fail",
    "AgentEvent_Connect_Fail",      "AgentEvent_Customer_Release", "AgentEvent_Call_Release",
    "AgentOther_PhoneRelease"};

template <class Names, class List>
void take_all(Fields& fields, Names const& names, List& into) {
  for (std::size_t i = 0; i < names.size(); ++i) fields.take(names[i], into[i], 0, 1);
  if (std::accumulate(into.begin(), into.end(), 0.0) > 1.0 + 1e-9)
    throw BadInput("random: probabilities that exclude each other (" + std::string(names[0]) +
                   " …) must be at most 1 in all");
}

template <class Names, class List>
json::object shown(Names const& names, List const& list) {
  json::object out;
  for (std::size_t i = 0; i < list.size(); ++i) out[names[i]] = list[i];
  return out;
}

void take_range(Fields& fields, std::string_view name, std::array<std::int64_t, 2>& into) {
  auto const value = fields.take(name);
  if (!value) return;
  auto const list = value->if_array();
  bool good = list && list->size() == 2 && (*list)[0].is_int64() && (*list)[1].is_int64();
  if (good) {
    into = {(*list)[0].get_int64(), (*list)[1].get_int64()};
    good = into[0] >= 0 && into[0] <= into[1] && into[1] <= longest_pause;
  }
  if (!good)
    fields.complain(name, "give [least, most] in ms, at most " + std::to_string(longest_pause));
}

}  // namespace

void RandomFaults::set(json::value const& document) {
  RandomFaults next;
  next.on_ = true;
  Fields fields(document, "random");
  std::int64_t seed = 0;
  fields.take("seed", seed, 0, INT64_MAX);
  next.seed_ = seed != 0 ? static_cast<std::uint64_t>(seed) : std::random_device{}();
  if (auto const value = fields.take("callout")) {
    Fields part(*value, "random: callout");
    take_all(part, answer_names, next.answers_);
    part.take("slow", next.slow_, 0, 1);
    part.end();
  }
  take_range(fields, "slowMs", next.slow_ms_);
  if (auto const value = fields.take("ends")) {
    Fields part(*value, "random: ends");
    take_all(part, ends_names(), next.ends_);
    part.end();
  }
  if (auto const value = fields.take("events")) {
    Fields part(*value, "random: events");
    part.take("lose", next.lose_, 0, 1);
    part.take("double", next.double_, 0, 1);
    part.end();
  }
  fields.end();
  *this = std::move(next);
}

json::object RandomFaults::to_json() const {
  json::object out{{"on", on_},
                   {"seed", seed_},
                   {"callout", shown(answer_names, answers_)},
                   {"slowMs", json::array{slow_ms_[0], slow_ms_[1]}},
                   {"ends", shown(ends_names(), ends_)},
                   {"events", json::object{{"lose", lose_}, {"double", double_}}}};
  out["callout"].as_object()["slow"] = slow_;
  return out;
}

// Everything is drawn, wanted or not, so that one probability's change leaves the other draws.
Lot RandomFaults::draw(std::uint32_t agent, std::string const& called) {
  auto const who = std::to_string(agent) + ">" + called;
  Lot lot;
  lot.ordinal = ++drawn_[who];
  chance::Dice dice(std::to_string(seed_) + ":" + who + ":" + std::to_string(lot.ordinal));
  auto const answer = dice.pick(answers_);
  if (answer < answers_.size()) lot.answer = static_cast<Lot::Answer>(answer + 1);
  auto const refusal = dice.one_of(never_dialled);
  auto const other = dice.one_of(other_codes);
  auto const status = dice.one_of(statuses);
  if (lot.answer == Lot::Answer::refuse) lot.code = refusal;
  if (lot.answer == Lot::Answer::refuse_other) lot.code = other;
  if (lot.answer == Lot::Answer::error || lot.answer == Lot::Answer::error_dialled)
    lot.status = status;
  bool const slow = dice.hits(slow_);
  auto const slow_ms = dice.between(slow_ms_[0], slow_ms_[1]);
  if (slow) lot.slow_ms = slow_ms;
  auto const end = dice.pick(ends_);
  if (end < ends_.size()) lot.ends = static_cast<Ends>(end);
  for (auto type : call_events)
    if (dice.hits(lose_)) lot.lose.emplace_back(type);
  lot.doubled = dice.hits(double_);
  return lot;
}

void Lot::lay_on(Script& script, double speed) const {
  auto& callout = script.callout;
  if (answer != Answer::plain) {
    auto const delay = callout.delay_ms;
    callout = CalloutScript{};
    callout.delay_ms = delay;
  }
  switch (answer) {
    case Answer::plain:
      break;
    case Answer::refuse:
    case Answer::refuse_other:
      callout.retcode = code;
      break;
    case Answer::error:
    case Answer::error_dialled:
      callout.fault = CalloutFault::status;
      callout.http_status = status;
      callout.dialled = answer == Answer::error_dialled;
      break;
    case Answer::drop:
    case Answer::drop_dialled:
      callout.fault = CalloutFault::drop;
      callout.dialled = answer == Answer::drop_dialled;
      break;
    case Answer::hang:
    case Answer::hang_dialled:
      callout.fault = CalloutFault::hang;
      callout.dialled = answer == Answer::hang_dialled;
      break;
  }
  callout.delay_ms += real_ms(slow_ms, speed);
  if (ends) script.end_with(*ends);
  script.lose.insert(script.lose.end(), lose.begin(), lose.end());
  if (doubled) script.repeat = 2;
}

json::object Lot::to_json() const {
  json::object out{{"ordinal", ordinal}, {"answer", "plain"}};
  if (answer != Answer::plain) out["answer"] = answer_names[static_cast<std::size_t>(answer) - 1];
  if (!code.empty()) out["code"] = code;
  if (status != 0) out["httpStatus"] = status;
  if (slow_ms != 0) out["slowMs"] = slow_ms;
  if (ends) out["ends"] = ends_names()[static_cast<std::size_t>(*ends)];
  if (!lose.empty()) out["lose"] = json::array(lose.begin(), lose.end());
  if (doubled) out["doubled"] = true;
  return out;
}

}  // namespace gateway
