#include "schedules_draw.hpp"

#include <array>

namespace cc::test {
namespace {

namespace json = boost::json;

constexpr const char* line_channels[] = {"e9", "e9b", "hw"};

json::array lines_of(int user) {
  const std::string phone = ScheduleCast::phone(user), seat = ScheduleCast::seat(user);
  json::array lines;
  const auto add = [&](const char* channel, const std::string& agent) {
    lines.push_back(json::object{{"channel", channel}, {"agent", agent}});
  };
  if (user % 3 == 0) add("hw", seat);
  add(user % 2 == 0 ? "e9" : "e9b", phone);
  if (user % 3 == 1) add("hw", seat);
  if (user % 4 < 2) add(user % 2 == 0 ? "e9b" : "e9", phone);
  return lines;
}

class Drawing {
 public:
  Drawing(std::uint64_t seed, long number) {
    std::seed_seq words{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                        static_cast<std::uint32_t>(number)};
    random_.seed(words);
    schedule_.number = number;
    schedule_.called = "138" + std::to_string(10'000'000 + number);
  }

  Schedule run() {
    draw_form();
    draw_phones();
    if (hits(0.3)) schedule_.hang_up_after = between(0, hits(0.5) ? 400 : 3500);
    if (hits(0.2)) schedule_.wait = static_cast<int>(between(1, 5));
    schedule_.body["called"] = schedule_.called;
    schedule_.body["bizId"] = std::to_string(schedule_.number);
    return std::move(schedule_);
  }

 private:
  long between(long least, long most) {
    return std::uniform_int_distribution<long>(least, most)(random_);
  }
  bool hits(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }

  /// Some phones are wanted by many calls, and seats' handsets by channels that have no seats.
  std::string any_phone() {
    const long draw = between(0, 99);
    if (draw < 15)
      return ScheduleCast::hot_phone(static_cast<int>(between(0, ScheduleCast::hot_phones - 1)));
    if (draw < 35) return ScheduleCast::seat_phone(any_seat());
    return ScheduleCast::phone(static_cast<int>(between(0, ScheduleCast::phones - 1)));
  }
  int any_seat() { return static_cast<int>(between(0, ScheduleCast::seats - 1)); }

  void name_agent(const std::string& agent) {
    schedule_.agent = agent;
    schedule_.body["agent"] = agent;
  }
  void name_channel(const std::string& channel) {
    schedule_.channel = channel;
    schedule_.body["channel"] = channel;
  }

  void draw_form() {
    const long draw = between(0, 99);
    if (draw < 38) {
      schedule_.form = "caller";
      schedule_.body["caller"] = any_phone();
    } else if (draw < 48) {
      schedule_.form = "agent: seat";
      name_agent(ScheduleCast::seat(any_seat()));
    } else if (draw < 52) {
      schedule_.form = "agent: seat, on a phone";
      name_agent(ScheduleCast::seat(any_seat()));
      schedule_.body["caller"] = any_phone();
    } else if (draw < 58) {
      schedule_.form = "agent: phone";
      name_agent(any_phone());
    } else if (draw < 68) {
      schedule_.form = "channel, caller";
      name_channel(line_channels[between(0, 1)]);
      schedule_.body["caller"] = any_phone();
    } else if (draw < 74) {
      schedule_.form = "channel";
      name_channel(line_channels[between(0, 2)]);
    } else if (draw < 86) {
      const int user = static_cast<int>(between(0, ScheduleCast::users - 1));
      schedule_.form = ScheduleCast::bound_only(user) ? "user, bound only" : "user";
      schedule_.body["user"] = ScheduleCast::user(user);
      if (ScheduleCast::bound_only(user)) schedule_.lines = ScheduleCast::bound_lines(user);
    } else {
      schedule_.form = "nothing";
    }
  }

  /// The same people, told to each simulator in its own words.
  void draw_phones() {
    json::object jiuyun{{"setupMs", between(0, 150)},
                        {"aRingMs", between(0, 500)},
                        {"bRingMs", between(0, 700)},
                        {"talkMs", hits(0.2) ? between(1500, 5000) : between(0, 1500)}};
    json::object gateway = jiuyun;
    gateway["releaseMs"] = between(0, 100);
    const long draw = between(0, 99);
    if (draw < 40) {
      // Both answer, the customer hangs up.
    } else if (draw < 58) {
      jiuyun["hungUpBy"] = "a";
      gateway["hungUpBy"] = "agent";
    } else if (draw < 72) {
      jiuyun["b"] = draw % 2 == 0 ? "noAnswer" : "busy";
      gateway["outcome"] = "bNoAnswer";
    } else if (draw < 84) {
      jiuyun["a"] = "noAnswer";
      gateway["outcome"] = "aNoAnswer";
    } else if (draw < 90) {
      jiuyun["a"] = draw % 2 == 0 ? "busy" : "unreachable";
      gateway["outcome"] = "aUnreached";
    } else if (draw < 95) {
      jiuyun["b"] = "unreachable";
      gateway["outcome"] = "agentGivesUp";
    } else {
      jiuyun["callbacks"] = json::object{{"beforeAnswer", true}};
      gateway["callout"] = json::object{{"afterEvents", 2}, {"delayMs", 200}};
    }
    if (hits(0.05)) {  // so short that its end may come before the answer is stored
      for (json::object* script : {&jiuyun, &gateway}) {
        for (const char* pause : {"setupMs", "aRingMs", "bRingMs", "talkMs"}) (*script)[pause] = 0;
      }
    }
    schedule_.jiuyun_script = json::serialize(jiuyun);
    schedule_.gateway_script = json::serialize(gateway);
  }

  std::mt19937_64 random_;
  Schedule schedule_;
};

}  // namespace

std::string ScheduleCast::binding(int n) {
  return json::serialize(
      json::object{{"lines", lines_of(n)}, {"fallback", bound_only(n) ? "never" : "auto"}});
}

std::set<std::string> ScheduleCast::bound_lines(int n) {
  std::set<std::string> lines;
  for (const json::value& line : lines_of(n)) {
    lines.insert(std::string(line.at("channel").as_string()) + "/" +
                 std::string(line.at("agent").as_string()));
  }
  return lines;
}

Schedule draw_schedule(std::uint64_t seed, long number) {
  return Drawing(seed, number).run();
}

std::string jiuyun_faults(std::uint64_t seed) {
  return R"({"seed":)" + std::to_string((seed & 0x7fffffffffffffff) | 1) +
         R"(,"originate":{"refuse":0.14,"refuseNumber":0.03,"refuseDisplay":0.02,"error":0.02,)"
         R"("errorDialled":0.03,"drop":0.02,"dropDialled":0.03,"hang":0.01,"hangDialled":0.02,)"
         R"("slow":0.06},"slowMs":[200,1500],"ends":{"6":0.04,"7":0.03},)"
         R"("callbacks":{"lose":0.04,"double":0.1,"reorder":0.1,"late":0.1},"lateMs":[200,2500]})";
}

std::string gateway_faults(std::uint64_t seed) {
  return R"({"seed":)" + std::to_string((seed & 0x7fffffffffffffff) | 1) +
         R"(,"callout":{"refuse":0.14,"refuseOther":0.03,"error":0.012,"errorDialled":0.03,)"
         R"("drop":0.012,"dropDialled":0.03,"hang":0.008,"hangDialled":0.02,"slow":0.06},)"
         R"("slowMs":[200,1500],"ends":{"connectFail":0.03,"connectFailRung":0.03,)"
         R"("callOutFail":0.02,"platform":0.03},"events":{"lose":0.01,"double":0.05}})";
}

}  // namespace cc::test
