#include "presets.hpp"

#include <string>

#include <boost/json/parse.hpp>

namespace gateway {

namespace json = boost::json;

namespace {

struct Preset {
  std::string_view digits;
  std::string_view name;
  std::string_view script;
  std::string_view story;
};

// README.md repeats this table: change both.
constexpr Preset presets[] = {
    {"7001", "answered", "{}", "both answer, the customer hangs up after 5 s"},
    {"7002", "agent-hangs-up", R"({"hungUpBy":"agent"})", "both answer, the agent hangs up"},
    {"7003", "b-no-answer", R"({"outcome":"bNoAnswer","bRingMs":3000})", "B rings 3 s in vain"},
    {"7004", "a-no-answer", R"({"outcome":"aNoAnswer","aRingMs":3000})", "A rings 3 s in vain"},
    {"7005", "long-talk", R"({"talkMs":3600000})", "talks an hour: for release and dropcall"},
    {"7006", "platform-ends", R"({"hungUpBy":"platform"})",
     "after the talk only PhoneRelease 3 and Ready"},
    {"7007", "agent-gives-up", R"({"outcome":"agentGivesUp"})",
     "the agent hangs up while B rings: Call_Release"},
    {"7008", "result-null", R"({"callout":{"result":false}})",
     "the callout's result is null: only the events name the call"},
    {"7009", "numbers", R"({"camelCallId":true,"numbers":true})",
     "callId instead of callid, numbers as JSON numbers"},
    {"7010", "answer-after-events", R"({"callout":{"afterEvents":2,"delayMs":300}})",
     "the callout is answered after its first two events were handed out"},
    {"7011", "callout-hangs", R"({"callout":{"fault":"hang"}})",
     "the callout is never answered; the phones ring"},
    {"7012", "callout-drops", R"({"callout":{"fault":"drop","dialled":false}})",
     "the connection is closed instead of an answer; nothing rings"},
    {"7013", "callout-502", R"({"callout":{"fault":"status","dialled":false}})",
     "HTTP 502 with HTML; nothing rings"},
    {"7014", "recorded", R"({"record":true})", "answered, with recording events"},
    {"7015", "unknown-events", R"({"unknownEvents":true})",
     "answered, among events that channels.md doesn't name"},
    {"7016", "instant",
     R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":0,"releaseMs":0,"readyMs":0})",
     "answered, all pauses 0"},
    {"7017", "lost-end", R"({"lostEnd":true})", "no event tells the end; the call info knows it"},
    {"7018", "random", R"({"random":true})",
     "outcome of 7001 … 7006 and all pauses are drawn at random"},
    {"7019", "callout-drops-dialled", R"({"callout":{"fault":"drop"}})",
     "as 7012, but the phones ring"},
    {"7020", "callout-502-dialled", R"({"callout":{"fault":"status"}})",
     "as 7013, but the phones ring"},
    {"7021", "callout-hangs-undialled", R"({"callout":{"fault":"hang","dialled":false}})",
     "as 7011, but nothing rings"},
    {"7022", "answer-slow", R"({"callout":{"delayMs":4000}})",
     "the callout's answer takes 4 s, dialling begins at once"},
    {"7023", "a-unreached", R"({"outcome":"aUnreached"})",
     "accepted, then Connect_Fail; nothing rings"},
};

// 6RRR: the codes that channels.md names, one that it doesn't, and busy.
constexpr struct {
  std::string_view digits;
  std::string_view code;
} refusals[] = {
    {"6003", "000-003"}, {"6004", "100-004"}, {"6006", "100-006"}, {"6013", "100-013"},
    {"6014", "100-014"}, {"6016", "110-016"}, {"6018", "100-018"}, {"6105", "105-005"},
    {"6106", "105-006"}, {"6107", "105-007"}, {"6999", "999-999"},
};

Script script_of(Preset const& preset) {
  Script script;
  script.apply(json::parse(preset.script));
  script.name = preset.name;
  return script;
}

Script refusal(std::string code) {
  Script script;
  script.name = "refused-" + code;
  script.callout.retcode = std::move(code);
  return script;
}

}  // namespace

std::optional<Script> script_by_name(std::string_view name) {
  for (auto const& preset : presets)
    if (preset.name == name) return script_of(preset);
  return std::nullopt;
}

std::optional<Script> script_by_digits(std::string_view number) {
  if (number.size() < 4) return std::nullopt;
  auto const digits = number.substr(number.size() - 4);
  for (auto const& preset : presets)
    if (preset.digits == digits) return script_of(preset);
  for (auto const& one : refusals)
    if (one.digits == digits) return refusal(std::string(one.code));
  // 8000 ends too many made-up numbers to mean something.
  if (digits[0] == '8' && digits != "8000") return refusal("100-" + std::string(digits.substr(1)));
  return std::nullopt;
}

json::array list_presets() {
  json::array list;
  for (auto const& preset : presets)
    list.push_back(json::object{{"name", preset.name},
                                {"digits", preset.digits},
                                {"description", preset.story},
                                {"script", script_of(preset).to_json()}});
  for (auto const& one : refusals)
    list.push_back(
        json::object{{"name", "refused-" + std::string(one.code)},
                     {"digits", one.digits},
                     {"description", "the callout is refused with " + std::string(one.code)},
                     {"script", refusal(std::string(one.code)).to_json()}});
  return list;
}

}  // namespace gateway
