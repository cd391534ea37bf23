#include "schedule.hpp"

#include <algorithm>

#include "world.hpp"

namespace model {
namespace {

const std::vector<std::string> channel_codes = {"e9", "e9b", "hw"};

void add_channel(World& world, const std::string& code, int priority) {
  cc::ChannelConfig config;
  config.code = code;
  config.kind = code == "hw" ? "hw" : "e9";
  config.priority = priority;
  config.can.hide_customer = !world.draw.chance(250);
  config.can.hide_agent = !world.draw.chance(250);
  config.can.max_duration = code != "hw";
  world.config.channels[code] = config;
  Vendor vendor;
  vendor.code = code;
  vendor.seats = code == "hw";
  world.vendors.all.push_back(vendor);
  world.store.states[code];
}

Act draw_act(World& world, bool seats) {
  for (;;) {
    const Act act = static_cast<Act>(world.draw.between(0, static_cast<Ms>(last_act)));
    if (act == Act::lies && !world.lying) continue;
    if (act == Act::line_fault && !seats) continue;
    return act;
  }
}

void draw_faults(World& world, Vendor& vendor) {
  Draw& draw = world.draw;
  vendor.echoes = world.lying || !draw.chance(150);
  vendor.regimes = {{0, draw.chance(500) ? Act::normal : draw_act(world, vendor.seats), 1000}};
  for (Ms at = World::beginning; draw.chance(600);) {
    at += draw.between(500, 60'000);
    vendor.regimes.push_back(
        {at, draw_act(world, vendor.seats), static_cast<int>(draw.between(300, 1000))});
  }
  if (world.lying && draw.chance(500)) vendor.regimes.front().act = Act::lies;
  const auto some = [&](int often, Ms most) {
    return draw.chance(often) ? static_cast<int>(draw.between(1, most)) : 0;
  };
  vendor.lost = some(400, 500);
  vendor.doubled = some(300, 500);
  vendor.late = some(400, 400);
  vendor.hours_late = some(150, 300);
  vendor.answers_lost = some(250, 500);
  vendor.ignored = some(150, 1000);
}

std::string phone(Ms number) {
  return "1390000" + std::to_string(1000 + number);
}

void add_agents(World& world, int phones, int seats) {
  for (const Vendor& vendor : world.vendors.all) {
    const int count = vendor.seats ? seats : phones;
    for (int i = 0; i < count; ++i) {
      AgentRow row;
      row.channel = vendor.code;
      // Seats stand on the same phones.
      row.handset = phone(i % std::max(phones, 1));
      row.agent = vendor.seats ? std::to_string(201 + i) : row.handset;
      world.store.agents.push_back(row);
    }
  }
}

Asked draw_call(World& world, int phones, int seats) {
  Draw& draw = world.draw;
  Asked asked;
  cc::NewCall& request = asked.request;
  request.tenant = "t";
  request.called = "1380000" + std::to_string(draw.between(1000, 9999));
  request.main_num = "4001234567";
  request.record = true;
  const Ms who = draw.between(0, 99);
  const bool seat = world.config.channels.contains("hw") && seats > 0;
  if (who < 25) {
    request.agent = phone(draw.between(0, phones - 1));
  } else if (who < 35 && seat) {
    request.agent = std::to_string(201 + draw.between(0, seats - 1));
  } else if (who < 65) {
    request.caller = phone(draw.between(0, phones - 1));
  }
  if (draw.chance(200)) {
    const Ms last = static_cast<Ms>(world.vendors.all.size()) - 1;
    request.channel = world.vendors.all[static_cast<std::size_t>(draw.between(0, last))].code;
  }
  if (draw.chance(200)) request.initiator = "customer";
  if (draw.chance(200)) request.max_duration = static_cast<int>(draw.between(30, 7'200));
  asked.display.hide_customer = request.initiator == "customer" || draw.chance(100);
  asked.display.hide_agent = draw.chance(150);
  return asked;
}

/// By whoever is awake; hung up later where `hang_up_at` is given.
void place(World& world, const Asked& asked, Ms hang_up_at) {
  const int id = world.fleet.any_awake();
  if (id < 0) return;
  const std::size_t before = world.store.records.size();
  world.fleet.create(id, asked);
  if (hang_up_at == 0 || world.store.records.size() == before) return;
  const std::int64_t call = world.store.records.rbegin()->first;
  world.at(hang_up_at, [&world, call] { world.fleet.ask_hang_up(call); });
}

/// Few phones, few calls, many faults.
void draw_chaos(World& world) {
  Draw& draw = world.draw;
  world.lying = draw.chance(60);
  const int channels = static_cast<int>(draw.between(2, 3));
  for (int i = 0; i < channels; ++i) {
    const bool hw_second = channels == 2 && i == 1 && draw.chance(500);
    add_channel(world, hw_second ? "hw" : channel_codes[static_cast<std::size_t>(i)],
                static_cast<int>(draw.between(1, 2)) * 50);
  }
  for (Vendor& vendor : world.vendors.all) draw_faults(world, vendor);
  const int phones = static_cast<int>(draw.between(1, 4));
  const int seats = static_cast<int>(draw.between(1, 3));
  add_agents(world, phones, seats);
  world.commit_faults = draw.chance(300) ? static_cast<int>(draw.between(1, 100)) : 0;
  world.crash_faults = draw.chance(400) ? static_cast<int>(draw.between(1, 80)) : 0;

  const int calls = static_cast<int>(draw.between(1, 6));
  const Ms span = draw.chance(700) ? 20'000 : 400'000;
  for (int i = 0; i < calls; ++i) {
    const Ms when = world.now + draw.between(0, span);
    const Ms soon = draw.between(0, 3'000), later = draw.between(0, 120'000);
    const Ms hang_up_at = draw.chance(250) ? when + (draw.chance(600) ? soon : later) : 0;
    world.at(when, [&world, phones, seats, hang_up_at] {
      place(world, draw_call(world, phones, seats), hang_up_at);
    });
  }
  while (draw.chance(300)) {
    const Ms when = world.now + draw.between(0, span + 60'000);
    const int id = static_cast<int>(draw.between(0, 1));
    if (draw.chance(600)) {
      world.at(when, [&world, id] { world.fleet.kill(id); });
    } else {
      const Ms how_long =
          draw.chance(700) ? draw.between(100, 20'000) : draw.between(20'000, 600'000);
      world.at(when, [&world, id, how_long] { world.fleet.pause(id, how_long); });
    }
  }
  while (draw.chance(150)) {
    const Ms when = world.now + draw.between(0, span + 60'000);
    const Ms how_long = draw.between(100, draw.chance(800) ? 20'000 : 1'200'000);
    const bool redis = draw.chance(500);
    world.at(when, [&world, redis, how_long] {
      world.note(redis ? "the stream stands" : "PostgreSQL is away", " for ", how_long, " ms");
      Ms& until = redis ? world.stream.stalled_until : world.away_until;
      until = std::max(until, world.now + how_long);
    });
  }
}

/// One phone or two, asked for again and again, while ends get lost, hang-ups are taken and not
/// heeded, and what is heard of calls comes late.
void draw_wanted_phone(World& world) {
  Draw& draw = world.draw;
  add_channel(world, "e9", 50);
  add_channel(world, "e9b", 100);
  for (auto& [code, channel] : world.config.channels) channel.can = {};
  for (Vendor& vendor : world.vendors.all) {
    vendor.regimes = {{0, Act::normal, 1000}};
    vendor.lost = static_cast<int>(draw.between(0, 700));
    vendor.late = static_cast<int>(draw.between(0, 600));
    vendor.hours_late = draw.chance(300) ? static_cast<int>(draw.between(0, 300)) : 0;
    vendor.ignored = static_cast<int>(draw.between(0, 1000));
  }
  if (draw.chance(600)) {
    world.vendors.all[0].regimes.front() = {
        0, draw.chance(500) ? Act::never_dialled : Act::refuses_connection, 800};
  }
  const int phones = static_cast<int>(draw.between(1, 2));
  add_agents(world, phones, 0);
  Ms when = world.now;
  for (int i = 0; i < 12; ++i) {
    when += draw.chance(850) ? draw.between(200, 30'000) : draw.between(30'000, 400'000);
    const Ms hang_up_at = draw.chance(600) ? when + draw.between(500, 60'000) : 0;
    world.at(when, [&world, phones, hang_up_at] {
      Asked asked;
      asked.request.tenant = "t";
      asked.request.called = "13800000000";
      asked.request.caller = phone(world.draw.between(0, phones - 1));
      asked.request.max_duration = static_cast<int>(world.draw.between(30, 600));
      place(world, asked, hang_up_at);
    });
  }
}

/// The channel that comes first fails for minutes, then does well: the calls must come back to it.
void draw_recovery(World& world) {
  Draw& draw = world.draw;
  add_channel(world, "e9", 50);
  add_channel(world, "e9b", 100);
  for (auto& [code, channel] : world.config.channels) channel.can = {};
  Act act = Act::normal;
  while (act == Act::normal) act = draw_act(world, false);
  const Ms bad = draw.between(20'000, 400'000);
  const Ms from = World::beginning + 30'000, well = from + bad;
  Vendor& first = world.vendors.all[0];
  first.regimes = {{0, Act::normal, 1000},
                   {from, act, static_cast<int>(draw.between(600, 1000))},
                   {well, Act::normal, 1000}};
  world.vendors.all[1].regimes = {{0, Act::normal, 1000}};
  for (Vendor& vendor : world.vendors.all) vendor.slow = 5;
  const bool silent = draw.chance(250);  // its callbacks are lost as well
  if (silent) {
    first.regimes[1].act = Act::normal;
    world.at(from, [&first] { first.lost = 1000; });
    world.at(well, [&first] { first.lost = 0; });
  }
  world.together = 500;
  constexpr int phones = 60;
  add_agents(world, phones, 0);
  // Openings and pauses at most double, so the last one lasts about as long as all before.
  const Ms end = well + bad * 3 / 2 + 300'000;
  auto back = std::make_shared<int>(0);
  for (Ms when = World::beginning; when < end;
       when += draw.chance(300) ? 1 : draw.between(800, 5'000)) {
    world.at(when, [&world, end, back] {
      Asked asked;
      asked.request.tenant = "t";
      asked.request.called = "13800000000";
      asked.request.caller = phone(world.draw.between(0, phones - 1));
      const int id = world.fleet.any_awake();
      const std::size_t before = world.store.records.size();
      world.fleet.create(id, asked);
      if (world.store.records.size() == before || world.now < end - 60'000) return;
      const AttemptRow* row = world.store.latest(world.store.records.rbegin()->first);
      if (row->channel == "e9") ++*back;
    });
  }
  world.at(end + 1, [&world, back, act, silent] {
    if (*back > 0) return;
    throw Violation("calls do not come back to a channel that is well again (after " +
                    std::string(silent ? "silence" : to_text(act)) + ")");
  });
}

}  // namespace

Outcome run_schedule(std::uint64_t seed, std::uint64_t number, Mutant mutant, bool tracing) {
  Outcome outcome;
  World world(Draw(seed, number), mutant, tracing);
  world.config.tenants["t"].name = "t";
  world.store.daemons.resize(2);
  world.fleet.daemons.resize(2);
  for (int id = 0; id < 2; ++id) {
    world.fleet.daemons[static_cast<std::size_t>(id)].id = id;
    world.fleet.start(id);
  }
  if (number % recovery_every == recovery_every - 1) {
    draw_recovery(world);
  } else if (number % 8 == 0) {
    draw_wanted_phone(world);
  } else {
    draw_chaos(world);
  }
  for (std::size_t i = 0; i < world.store.agents.size(); ++i) {
    AgentRow& agent = world.store.agents[i];
    if (agent.channel != "hw") continue;
    agent.owner = static_cast<int>(i % 2);
    agent.epoch = 1;
  }
  for (const Vendor& vendor : world.vendors.all) {
    for (const Regime& regime : vendor.regimes) {
      world.note("channel ", vendor.code, " from +",
                 static_cast<double>(std::max(regime.from - World::beginning, Ms{0})) / 1000, ": ",
                 to_text(regime.act), " ", regime.permille / 10, " %");
    }
  }
  try {
    world.run();
  } catch (const Violation& violation) {
    outcome.violation = violation.what();
  } catch (const std::exception& error) {
    outcome.violation = std::string("the model itself fails: ") + error.what();
  }
  outcome.calls = world.store.records.size();
  outcome.attempts = world.store.attempts.size();
  outcome.steps = world.steps;
  outcome.rung = world.vendors.calls.size();
  outcome.abandoned = static_cast<std::size_t>(world.store.alarms_abandoned);
  outcome.late_life = static_cast<std::size_t>(world.store.alarms_late_life);
  for (const auto& [key, row] : world.store.attempts) {
    if (row.superseded) ++outcome.superseded;
    if (row.state == "unknown") ++outcome.unknown;
  }
  for (const auto& [call, record] : world.store.records) {
    for (const cc::Event& event : record.events) {
      if (event.name == cc::EventName::reaped) ++outcome.reaped;
    }
  }
  return outcome;
}

}  // namespace model
