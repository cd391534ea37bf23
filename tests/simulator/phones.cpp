#include "phones.hpp"

#include <algorithm>

#include <boost/json/object.hpp>

namespace jiuyun {

namespace json = boost::json;

namespace {
constexpr std::size_t most_phones = 500'000;
}  // namespace

Phones::Phone& Phones::phone(std::string const& number) {
  if (phones_.size() >= most_phones && !phones_.contains(number))
    std::erase_if(phones_, [](auto const& entry) { return entry.second.holds.empty(); });
  return phones_[number];
}

std::string Phones::held_by(std::string const& number) const {
  auto found = phones_.find(number);
  if (found == phones_.end() || found->second.holds.empty()) return {};
  return found->second.holds.front().call_id;
}

void Phones::ring(std::string const& number, std::string const& call_id, Leg leg) {
  auto& rung = phone(number);
  rung.holds.push_back({call_id, leg, false});
  ++(leg == Leg::a ? rung.rings_a : rung.rings_b);
}

void Phones::answer(std::string const& number, std::string const& call_id) {
  for (auto& hold : phone(number).holds)
    if (hold.call_id == call_id) hold.talking = true;
}

void Phones::release(std::string const& number, std::string const& call_id) {
  auto found = phones_.find(number);
  if (found == phones_.end()) return;
  std::erase_if(found->second.holds, [&](Hold const& hold) { return hold.call_id == call_id; });
}

void Phones::note_violation(std::string const& number) {
  ++phone(number).violations;
}

json::array Phones::to_json(std::string const& only_number) const {
  json::array list;
  for (auto const& [number, state] : phones_) {
    if (!only_number.empty() && number != only_number) continue;
    bool talking = std::any_of(state.holds.begin(), state.holds.end(),
                               [](Hold const& hold) { return hold.talking; });
    json::array calls;
    for (auto const& hold : state.holds) {
      json::object held;
      held["callId"] = hold.call_id;
      held["leg"] = leg_name(hold.leg);
      held["state"] = hold.talking ? "busy" : "ringing";
      calls.push_back(std::move(held));
    }
    json::object item;
    item["number"] = number;
    item["state"] = state.holds.empty() ? "idle" : talking ? "busy" : "ringing";
    item["calls"] = std::move(calls);
    item["ringsA"] = state.rings_a;
    item["ringsB"] = state.rings_b;
    item["violations"] = state.violations;
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace jiuyun
