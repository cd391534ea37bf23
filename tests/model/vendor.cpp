#include "vendor.hpp"

#include <algorithm>
#include <array>

#include "channel/e9.hpp"
#include "keys.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;
using Answer = cc::OriginateAnswer;

const char* to_text(Act act) {
  static constexpr std::array names = {"normal",
                                       "refuses_connection",
                                       "connect_timeout",
                                       "hangs_before",
                                       "hangs_after",
                                       "drops_before",
                                       "drops_after",
                                       "http_500",
                                       "http_500_rings",
                                       "coded_500",
                                       "foreign_500",
                                       "never_dialled",
                                       "number_refused",
                                       "other_refusal",
                                       "accepts_then_fails",
                                       "line_fault",
                                       "lies"};
  return names[static_cast<std::size_t>(act)];
}

const Regime& Vendor::regime(Ms now) const {
  const Regime* found = &regimes.front();
  for (const Regime& regime : regimes) {
    if (regime.from <= now) found = &regime;
  }
  return *found;
}

int Vendors::index_of(const std::string& code) const {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].code == code) return static_cast<int>(i);
  }
  throw Violation("a call was sent to a channel that there isn't: " + code);
}

namespace {

bool rings(Act act) {
  switch (act) {
    case Act::normal:
    case Act::hangs_after:
    case Act::drops_after:
    case Act::http_500_rings:
    case Act::accepts_then_fails:
    case Act::lies:
      return true;
    default:
      return false;
  }
}

// As provider.hpp and e9.cpp (nothing_sent, unknown) have it.
Answer not_sent(const char* code, cc::ChannelVerdict verdict) {
  Answer answer;
  answer.outcome = Answer::Outcome::refused;
  answer.code = code;
  answer.never_dialled = true;
  answer.verdict = verdict;
  answer.close = {"7", "network_error", "channel"};
  return answer;
}

Answer unknown(const char* code, cc::ChannelVerdict verdict) {
  Answer answer;
  answer.code = code;
  answer.verdict = verdict;
  return answer;
}

}  // namespace

Answer Vendors::answer_of(Act act, const std::string& id) {
  using cc::ChannelVerdict;
  Draw& draw = world_.draw;
  const auto one_of = [&](auto... codes) {
    const std::array<const char*, sizeof...(codes)> list{codes...};
    return std::string(
        list[static_cast<std::size_t>(draw.between(0, static_cast<Ms>(sizeof...(codes)) - 1))]);
  };
  switch (act) {
    case Act::refuses_connection:
    case Act::connect_timeout:
      return not_sent("connect", ChannelVerdict::unreachable);
    case Act::hangs_before:
    case Act::hangs_after:
      return unknown("timed_out", ChannelVerdict::unreachable);
    case Act::drops_before:
    case Act::drops_after:
      return unknown("broken", ChannelVerdict::failed);
    case Act::http_500:
    case Act::http_500_rings:
      return unknown("http_500", ChannelVerdict::failed);
    case Act::coded_500:
      return cc::judge_e9_refusal(one_of("900122", "900107"), "account", 503);
    case Act::foreign_500:
      return cc::judge_e9_refusal(one_of("112", "E500"), "oops", 500);
    case Act::lies:
    case Act::never_dialled:
      return cc::judge_e9_refusal(one_of("900107", "900122", "900000", "900205", "900222"), "no");
    case Act::number_refused:
      return cc::judge_e9_refusal(one_of("900200", "900202", "900220", "900221"), "number");
    case Act::other_refusal:
      return cc::judge_e9_refusal(one_of("900209", "900210", "900215", "800001", "x"), "other");
    case Act::line_fault: {
      Answer answer = not_sent("not_signed_in", ChannelVerdict::well);
      answer.verdict.reset();
      answer.line_fault = true;
      answer.close = {"6", "channel_error", "channel"};
      return answer;
    }
    case Act::normal:
    case Act::accepts_then_fails:
      break;
  }
  Answer answer;
  answer.outcome = Answer::Outcome::accepted;
  answer.channel_call_id = id;
  answer.verdict = ChannelVerdict::well;
  return answer;
}

void Vendors::originate(const Request& request, std::function<void(Answer)> answer) {
  Draw& draw = world_.draw;
  const int index = index_of(request.channel);
  const Vendor& vendor = all[static_cast<std::size_t>(index)];
  const Regime& regime = vendor.regime(world_.now);
  const Act act = draw.chance(regime.permille) ? regime.act : Act::normal;
  const bool reached =
      act != Act::refuses_connection && act != Act::connect_timeout && act != Act::line_fault;
  if (reached) world_.checks.sent(request);
  acts[{request.call, request.attempt}] = act;
  const std::string id = "v" + std::to_string(++last_id_);
  world_.note("channel ", vendor.code, " does \"", to_text(act), "\" with call ",
              request.call % 1000, ".", request.attempt, " (", id, ")");
  if (rings(act)) dial(request, index, id, act);
  Answer given = answer_of(act, id);
  Ms after = !draw.chance(vendor.slow) ? draw.between(5, 800) : draw.between(800, 25'000);
  if (act == Act::connect_timeout) after = 3'000;
  if (act == Act::refuses_connection || act == Act::line_fault) after = draw.between(0, 10);
  if (act == Act::hangs_before || act == Act::hangs_after) after = 30'000;
  if (reached && draw.chance(vendor.answers_lost)) {
    after = 30'000;
    given = unknown("timed_out", cc::ChannelVerdict::unreachable);
  }
  world_.at(world_.now + after, [answer = std::move(answer), given] { answer(given); });
}

void Vendors::dial(const Request& request, int vendor, const std::string& id, Act act) {
  Draw& draw = world_.draw;
  VendorCall& call = calls.emplace_back();
  call.call = request.call;
  call.attempt = request.attempt;
  call.vendor = vendor;
  call.id = id;
  call.handset = request.handset;
  call.called = request.called;
  call.from = world_.now;
  call.lied = act == Act::lies;
  world_.checks.dialled(call);
  Ms at = world_.now + draw.between(100, draw.chance(900) ? 1'500 : 15'000);
  if (act == Act::accepts_then_fails) {
    if (draw.chance(500)) tell_at(call, at, EventName::a_calling);
    return end_at(call, at + draw.between(0, 3'000), draw.chance(500) ? "6" : "7");
  }
  tell_at(call, at, EventName::a_calling);
  const Ms fate = draw.between(0, 99);
  if (fate < 15) return end_at(call, at + draw.between(15'000, 60'000), "1");
  if (fate < 20) return end_at(call, at + draw.between(500, 3'000), "3");
  at += draw.between(1'000, 20'000);
  tell_at(call, at, EventName::b_calling);
  if (fate < 35) return end_at(call, at + draw.between(15'000, 60'000), "2");
  if (fate < 40) return end_at(call, at + draw.between(500, 5'000), "4");
  at += draw.between(1'000, 30'000);
  tell_at(call, at, EventName::connected);
  end_at(call, at + draw.between(1'000, draw.chance(950) ? 300'000 : 3'600'000), "0");
}

void Vendors::tell_at(VendorCall& call, Ms when, EventName name) {
  world_.at(when, [this, &call, name] {
    if (call.over) return;
    if (name == EventName::connected) call.connected = true;
    tell(call, name, cc::Source::callback);
  });
}

void Vendors::end_at(VendorCall& call, Ms when, std::string close_type) {
  world_.at(when, [this, &call, close_type] { end(call, close_type); });
}

void Vendors::end(VendorCall& call, std::string close_type) {
  if (call.over) return;
  call.over = true;
  call.ended = world_.now;
  call.close_type = std::move(close_type);
  world_.note("channel ", all[static_cast<std::size_t>(call.vendor)].code, " ends ", call.id,
              " with ", call.close_type);
  tell(call, EventName::closed, cc::Source::callback);
}

void Vendors::tell(VendorCall& call, EventName name, cc::Source source) {
  Draw& draw = world_.draw;
  const Vendor& vendor = all[static_cast<std::size_t>(call.vendor)];
  const bool query = source == cc::Source::query;
  Delivery delivery;
  delivery.vendor = call.vendor;
  delivery.call = call.call;
  delivery.handset = call.handset;
  delivery.echoed = vendor.echoes || query || vendor.seats;
  cc::Event& event = delivery.item.event;
  cc::DeliveryKey key{};
  const std::uint64_t random = draw.next();
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<std::uint8_t>(random >> (8 * i));
  event.key = cc::event_key(key, 0);
  event.name = name;
  event.source = vendor.seats && !query ? cc::Source::poll : source;
  event.attempt = call.attempt;
  event.channel_ms = world_.now;
  event.facts.channel_call_id = call.id;
  event.facts.caller = call.handset;
  event.facts.called = call.called;
  if (name == EventName::closed) {
    event.facts.close = cc::CloseFact{call.close_type, "other:" + call.close_type, ""};
    event.facts.never_connected = !call.connected;
    event.facts.engaged_on = vendor.seats && !query;
  }
  delivery.item.channel_call_id = call.id;
  delivery.item.channel = vendor.code;
  if (query) return world_.stream.receive(std::move(delivery));
  const auto come = [&] {
    Ms after = draw.between(5, 400);
    if (draw.chance(vendor.late)) after = draw.between(400, 120'000);
    if (draw.chance(vendor.hours_late)) after = draw.between(120'000, 6 * 3'600'000);
    world_.at(world_.now + after, [this, delivery] { world_.stream.receive(delivery); });
  };
  if (!draw.chance(vendor.lost)) come();
  if (draw.chance(vendor.doubled)) come();
  if (name != EventName::closed || !vendor.seats || draw.chance(vendor.lost)) return;
  // A's phone is on its hook.
  event.key = cc::event_key(key, 1);
  event.name = EventName::other;
  event.facts = {};
  event.facts.on_hook = true;
  event.facts.channel_call_id = call.id;
  come();
}

bool Vendors::hang_up(const std::string& channel, const std::string& id) {
  const int vendor = index_of(channel);
  const Act act = all[static_cast<std::size_t>(vendor)].regime(world_.now).act;
  if (act == Act::refuses_connection || act == Act::connect_timeout || act == Act::drops_before) {
    return false;
  }
  for (VendorCall& call : calls) {
    if (call.vendor != vendor || call.id != id || call.over) continue;
    if (world_.draw.chance(all[static_cast<std::size_t>(vendor)].ignored)) continue;
    call.hung_up = true;
    // Some take a moment.
    end_at(call, world_.now + (world_.draw.chance(900) ? 50 : world_.draw.between(50, 60'000)),
           "255");
  }
  return true;
}

Vendors::Query Vendors::query(const std::string& channel, const std::string& id) {
  if (world_.draw.chance(300)) return Query::later;
  const int vendor = index_of(channel);
  for (VendorCall& call : calls) {
    if (call.vendor != vendor || call.id != id) continue;
    if (!call.over) {  // it says so, or that it is too early
      if (world_.draw.chance(500)) return Query::later;
      tell(call, EventName::other, cc::Source::query);
      return Query::tells;
    }
    if (world_.draw.chance(150)) return Query::unknown;
    tell(call, EventName::closed, cc::Source::query);
    return Query::tells;
  }
  return Query::unknown;
}

}  // namespace model
