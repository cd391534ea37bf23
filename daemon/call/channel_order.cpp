#include "call/channel_order.hpp"

#include <algorithm>
#include <tuple>

namespace cc {

int rank_of(Standing standing) {
  switch (standing) {
    case Standing::whole:
    case Standing::trial:
      return 0;
    case Standing::degraded:
      return 1;
    case Standing::out:
      return 2;
    case Standing::shut:
      break;
  }
  return 3;
}

std::string lacking(const Needs& needs, const Capabilities& can) {
  if (needs.hide_customer && !can.hide_customer) return "can't hide the customer's number from A";
  if (needs.hide_agent && !can.hide_agent) return "can't hide the agent's number from B";
  if (needs.record && !can.record) return "can't record";
  if (needs.max_duration && !can.max_duration) return "can't limit a call's duration";
  return {};
}

void put_in_order(std::vector<const ChannelView*>& views, double draw) {
  const auto key = [](const ChannelView* view) {
    const int rank = rank_of(view->standing);
    return std::tuple(rank, rank == 2 ? view->bad_until_ms : 0, view->priority);
  };
  std::stable_sort(views.begin(), views.end(),
                   [&](const ChannelView* a, const ChannelView* b) { return key(a) < key(b); });
  for (auto at = views.begin(); at != views.end();) {
    const auto end = std::find_if(at, views.end(),
                                  [&](const ChannelView* view) { return key(view) != key(*at); });
    for (; end - at > 1; ++at) {
      double total = 0, below = 0;
      for (auto each = at; each != end; ++each) total += (*each)->weight;
      const double point = draw * total;
      auto chosen = at;
      while (chosen + 1 != end && below + (*chosen)->weight <= point) below += (*chosen++)->weight;
      draw = std::clamp((point - below) / (*chosen)->weight, 0.0, 0.999999);  // uniform again
      std::rotate(at, chosen, chosen + 1);
    }
    at = end;
  }
}

}  // namespace cc
