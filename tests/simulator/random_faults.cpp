#include "random_faults.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "dice.hpp"
#include "reader.hpp"

namespace jiuyun {

namespace json = boost::json;

namespace {

constexpr std::int64_t longest_pause = 600'000;

constexpr std::array<std::string_view, 9> answer_names{
    "refuse", "refuseNumber", "refuseDisplay", "error",      "errorDialled",
    "drop",   "dropDialled",  "hang",          "hangDialled"};
constexpr std::array<std::string_view, 4> lost_names{"CallInvite0", "CallInvite1", "CallEstablish",
                                                     "Hangup"};
constexpr std::array<std::string_view, 2> end_names{"6", "7"};

constexpr std::array<std::string_view, 6> never_dialled{"900000", "900111", "900115",
                                                        "900117", "900122", "900123"};
constexpr std::array<std::string_view, 5> number_codes{"900201", "900203", "900200", "900220",
                                                       "900221"};
constexpr std::array<std::string_view, 4> display_codes{"900204", "900205", "900222", "900223"};
constexpr std::array<unsigned int, 4> statuses{500, 502, 503, 504};

template <class Names, class List>
void read_probabilities(Reader& reader, Names const& names, List& into) {
  for (std::size_t i = 0; i < names.size(); ++i) reader.probability(names[i], into[i]);
}

template <class List>
void check_sum(Reader const& reader, json::value const& value, List const& list) {
  if (std::accumulate(list.begin(), list.end(), 0.0) > 1.0 + 1e-9)
    reader.complain("", value, "the probabilities exclude each other: give at most 1 in all");
}

template <class Names, class List>
json::object shown(Names const& names, List const& list) {
  json::object out;
  for (std::size_t i = 0; i < names.size(); ++i) out[names[i]] = list[i];
  return out;
}

}  // namespace

void RandomFaults::read_range(json::value const* value, std::string const& key, Range& into) {
  if (!value) return;
  auto list = value->if_array();
  bool good = list && list->size() == 2 && (*list)[0].is_int64() && (*list)[1].is_int64();
  if (good) {
    into = {(*list)[0].get_int64(), (*list)[1].get_int64()};
    good = into.least >= 0 && into.least <= into.most && into.most <= longest_pause;
  }
  if (!good)
    throw std::runtime_error("random: " + key + " is " + json::serialize(*value) +
                             ": give [least, most] in ms, at most " +
                             std::to_string(longest_pause));
}

void RandomFaults::set(json::value const& document) {
  RandomFaults next;
  next.on_ = true;
  Reader reader(document, "random: ");
  std::int64_t seed = 0;
  reader.whole("seed", seed, 0, INT64_MAX);
  next.seed_ = seed != 0 ? static_cast<std::uint64_t>(seed) : std::random_device{}();
  if (auto value = reader.find("originate")) {
    Reader part(*value, "random: originate.");
    read_probabilities(part, answer_names, next.answers_);
    part.probability("slow", next.slow_);
    part.finish();
    check_sum(part, *value, next.answers_);
  }
  if (auto value = reader.find("ends")) {
    Reader part(*value, "random: ends.");
    read_probabilities(part, end_names, next.ends_);
    part.finish();
    check_sum(part, *value, next.ends_);
  }
  if (auto value = reader.find("callbacks")) {
    Reader part(*value, "random: callbacks.");
    if (auto lose = part.find("lose"); lose && lose->is_object()) {
      Reader each(*lose, "random: callbacks.lose.");
      read_probabilities(each, lost_names, next.lose_);
      each.finish();
    } else if (lose) {
      double every = 0;
      part.probability("lose", every);
      next.lose_.fill(every);
    }
    part.probability("double", next.double_);
    part.probability("reorder", next.reorder_);
    part.probability("late", next.late_);
    part.finish();
  }
  read_range(reader.find("slowMs"), "slowMs", next.slow_ms_);
  read_range(reader.find("lateMs"), "lateMs", next.late_ms_);
  reader.finish();
  *this = std::move(next);
}

json::object RandomFaults::to_json() const {
  json::object out;
  out["on"] = on_;
  out["seed"] = seed_;
  out["originate"] = shown(answer_names, answers_);
  out["originate"].as_object()["slow"] = slow_;
  out["slowMs"] = json::array{slow_ms_.least, slow_ms_.most};
  out["ends"] = shown(end_names, ends_);
  json::object callbacks;
  callbacks["lose"] = shown(lost_names, lose_);
  callbacks["double"] = double_;
  callbacks["reorder"] = reorder_;
  callbacks["late"] = late_;
  out["callbacks"] = std::move(callbacks);
  out["lateMs"] = json::array{late_ms_.least, late_ms_.most};
  return out;
}

// Everything is drawn, wanted or not, so that one probability's change leaves the other draws.
Lot RandomFaults::draw(std::string const& from, std::string const& to) {
  auto const numbers = from + ">" + to;
  Lot lot;
  lot.ordinal = ++drawn_[numbers];
  chance::Dice dice(std::to_string(seed_) + ":" + numbers + ":" + std::to_string(lot.ordinal));
  auto const answer = dice.pick(answers_);
  if (answer < answers_.size()) lot.answer = static_cast<Lot::Answer>(answer + 1);
  std::string_view const codes[] = {dice.one_of(never_dialled), dice.one_of(number_codes),
                                    dice.one_of(display_codes)};
  auto const status = dice.one_of(statuses);
  if (answer < 3)
    lot.code = codes[answer];
  else if (answer < 5)
    lot.status = status;
  bool const slow = dice.hits(slow_);
  auto const slow_ms = dice.between(slow_ms_.least, slow_ms_.most);
  if (slow) lot.slow_ms = slow_ms;
  auto const end = dice.pick(ends_);
  bool const rings = dice.hits(0.5);
  if (end < ends_.size()) {
    lot.ends = static_cast<int>(end) + 6;
    lot.ends_ring = rings;
  }
  for (std::size_t i = 0; i < lose_.size(); ++i)
    if (dice.hits(lose_[i])) lot.lose.emplace_back(lost_names[i]);
  lot.doubled = dice.hits(double_);
  lot.reordered = dice.hits(reorder_);
  bool const late = dice.hits(late_);
  auto const late_ms = dice.between(late_ms_.least, late_ms_.most);
  if (late) lot.late_ms = late_ms;
  return lot;
}

void Lot::lay_on(Script& script, double speed) const {
  auto& originate = script.originate;
  if (answer != Answer::plain) {
    auto const delay = originate.delay_ms;
    originate = OriginateScript{};
    originate.delay_ms = delay;
  }
  switch (answer) {
    case Answer::plain:
      break;
    case Answer::refuse:
    case Answer::refuse_number:
    case Answer::refuse_display:
      originate.code = code;
      break;
    case Answer::error:
    case Answer::error_dialled:
      originate.http_status = status;
      originate.dialled = answer == Answer::error_dialled;
      break;
    case Answer::drop:
      originate.fault = Fault::drop_before;
      break;
    case Answer::drop_dialled:
      originate.fault = Fault::drop_after;
      break;
    case Answer::hang:
      originate.fault = Fault::hang_before;
      break;
    case Answer::hang_dialled:
      originate.fault = Fault::hang_after;
      break;
  }
  originate.add_real_delay(slow_ms, speed);
  if (ends != 0) script.end_with(ends, ends_ring);
  auto& callbacks = script.callbacks;
  callbacks.lose.insert(callbacks.lose.end(), lose.begin(), lose.end());
  if (doubled) callbacks.repeat = std::max(callbacks.repeat, 2);
  if (reordered && !callbacks.holds()) callbacks.shuffle = true;
  callbacks.delay_ms += real_ms(late_ms, speed);
}

json::object Lot::to_json() const {
  json::object out;
  out["ordinal"] = ordinal;
  out["answer"] = answer == Answer::plain ? std::string_view("plain")
                                          : answer_names[static_cast<std::size_t>(answer) - 1];
  if (!code.empty()) out["code"] = code;
  if (status != 0) out["httpStatus"] = status;
  if (slow_ms != 0) out["slowMs"] = slow_ms;
  if (ends != 0) {
    out["ends"] = ends;
    out["endsRing"] = ends_ring;
  }
  if (!lose.empty()) out["lose"] = json::array(lose.begin(), lose.end());
  if (doubled) out["doubled"] = true;
  if (reordered) out["reordered"] = true;
  if (late_ms != 0) out["lateMs"] = late_ms;
  return out;
}

}  // namespace jiuyun
