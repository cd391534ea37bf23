#include "stream.hpp"

#include <algorithm>

#include "world.hpp"

namespace model {

void Stream::receive(Delivery delivery) {
  delivery.item.event.received_ms = world_.now;
  pending_.emplace(world_.now, delivery.call);
  const Ms lag = world_.draw.chance(30) ? world_.draw.between(100, 5'000) : 2;
  world_.at(std::max(world_.now + lag, stalled_until + world_.draw.between(0, 500)),
            [this, delivery = std::move(delivery)] { drain(delivery); });
}

Ms Stream::drained_ms() const {
  return pending_.empty() ? world_.now : pending_.begin()->first - 1;
}

const AttemptRow* Stream::known(const Delivery& delivery) const {
  const std::string& channel = world_.vendors.all[static_cast<std::size_t>(delivery.vendor)].code;
  for (const auto& [key, row] : world_.store.attempts) {
    if (row.channel == channel && row.channel_call_id == delivery.item.channel_call_id) return &row;
  }
  return nullptr;
}

void Stream::drain(const Delivery& delivery) {
  if (world_.now < world_.away_until || world_.now < stalled_until ||
      world_.fleet.any_awake() < 0) {
    world_.at(std::max(stalled_until, world_.now + 250), [this, delivery] { drain(delivery); });
    return;
  }
  pending_.erase(pending_.find({delivery.item.event.received_ms, delivery.call}));
  if (delivery.echoed) {
    fold(delivery, delivery.call, delivery.item.event.attempt);
  } else if (const AttemptRow* row = known(delivery)) {
    fold(delivery, row->call, row->attempt);
  } else {
    waiting_.push_back(delivery);
    waiting_.back().inserted = world_.now;
  }
}

void Stream::fold(const Delivery& delivery, std::int64_t call, int attempt) {
  cc::NewEvent item = delivery.item;
  item.event.attempt = attempt;
  world_.note("event ", cc::to_text(item.event.name), " of call ", call % 1000, ".", attempt,
              " is drained, received at +",
              static_cast<double>(item.event.received_ms - World::beginning) / 1000);
  const auto at = world_.store.attempts.find({call, attempt});
  const bool young = item.event.received_ms > world_.now - cc::action_age_ms;
  if (at != world_.store.attempts.end() && at->second.superseded && young &&
      item.event.name != cc::EventName::closed) {
    world_.checks.life_of_superseded(call, attempt);
  }
  const Store::Folding report = world_.store.fold_events(call, {std::move(item)});
  if (!report.judged_failed) return;
  world_.fleet.ended(world_.fleet.any_awake(), {call, report.judged_attempt},
                     *report.judged_failed ? cc::ChannelVerdict::failed : cc::ChannelVerdict::well);
}

void Stream::sweep() {
  const std::vector<Delivery> all = std::exchange(waiting_, {});
  for (const Delivery& delivery : all) {
    if (const AttemptRow* row = known(delivery)) {
      fold(delivery, row->call, row->attempt);
      continue;
    }
    // The handset's claim makes a single candidate that the event names unique.
    const std::string& channel = world_.vendors.all[static_cast<std::size_t>(delivery.vendor)].code;
    AttemptRow* candidate = nullptr;
    for (auto& [key, row] : world_.store.attempts) {
      const bool open = row.state == "sending" || row.state == "unknown" || row.state == "accepted";
      if (row.channel != channel || row.channel_call_id || !open || !row.sent) continue;
      if (*row.sent >= delivery.item.event.received_ms + 5'000) continue;
      if (row.handset == delivery.handset) candidate = &row;
    }
    if (candidate != nullptr) {
      candidate->channel_call_id = delivery.item.channel_call_id;
      fold(delivery, candidate->call, candidate->attempt);
    } else if (world_.now - delivery.inserted > 60'000) {
      ++strangers;
    } else {
      waiting_.push_back(delivery);
    }
  }
}

}  // namespace model
