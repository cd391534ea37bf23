#include "presets.hpp"

#include <array>
#include <map>
#include <string>

#include <boost/json/parse.hpp>

namespace jiuyun {

namespace json = boost::json;

namespace {

struct Preset {
  std::string_view name;
  std::string_view digits;
  std::string_view description;
  std::string_view script;
};

// README.md repeats this table: change both.
constexpr Preset presets[] = {
    {"answered", "8001", "both answer, B hangs up after 5 s", R"({})"},
    {"answered-a-hangs-up", "8002", "both answer, A hangs up after 5 s", R"({"hungUpBy":"a"})"},
    {"b-busy", "8003", "A answers, B is busy: byeType 4", R"({"b":"busy"})"},
    {"b-no-answer", "8004", "A answers, B rings 3 s and nobody answers: byeType 2",
     R"({"b":"noAnswer","bRingMs":3000})"},
    {"b-unreachable", "8005", "A answers, B is unreachable: byeType 2", R"({"b":"unreachable"})"},
    {"a-unreachable", "8006", "A is unreachable: byeType 1", R"({"a":"unreachable"})"},
    {"a-busy", "8007", "A is busy: byeType 3", R"({"a":"busy"})"},
    {"a-no-answer", "8008", "A rings 3 s and nobody answers: byeType 1",
     R"({"a":"noAnswer","aRingMs":3000})"},
    {"maximum-duration", "8009", "the platform ends the talk after 5 s: byeType 5",
     R"({"hungUpBy":"maximum"})"},
    {"long-talk", "8010", "B hangs up after an hour, so maxCallTime or a cancel ends it",
     R"({"talkMs":3600000})"},
    {"callbacks-late", "8011", "every callback is pushed 5 s late",
     R"({"callbacks":{"delayMs":5000}})"},
    {"lost-hangup", "8012", "Hangup is never pushed: the record query knows it",
     R"({"callbacks":{"lose":["Hangup"]}})"},
    {"lost-establish", "8013", "CallEstablish is never pushed",
     R"({"callbacks":{"lose":["CallEstablish"]}})"},
    {"only-hangup", "8014", "only Hangup is pushed",
     R"({"callbacks":{"lose":["CallInvite","CallEstablish"]}})"},
    {"all-lost", "8015", "no callback is ever pushed",
     R"({"callbacks":{"lose":["CallInvite","CallEstablish","Hangup"]}})"},
    {"doubled", "8016", "every callback is pushed twice, byte for byte",
     R"({"callbacks":{"repeat":2}})"},
    {"reversed", "8017", "all callbacks after the call's end, last first",
     R"({"callbacks":{"reverse":true}})"},
    {"shuffled", "8018", "all callbacks after the call's end, at random, doubled, at once",
     R"({"callbacks":{"shuffle":true,"repeat":2,"atOnce":true}})"},
    {"ill-formed-user-data", "8019", "the userData echo stands between <&\" junk: ill-formed XML",
     R"({"callbacks":{"illFormedUserData":true}})"},
    {"no-user-data", "8020", "the userData echo is empty",
     R"({"callbacks":{"dropUserData":true}})"},
    {"untidy", "8021", "literal null, extra fields, fields in random order",
     R"({"callbacks":{"literalNull":true,"extraFields":true,"shuffleFields":true}})"},
    {"json", "8022", "callbacks as JSON, numbers as numbers", R"({"callbacks":{"format":"json"}})"},
    {"json-strings", "8023", "callbacks as JSON in {\"req\":…}, all values strings",
     R"({"callbacks":{"format":"jsonStrings","jsonRoot":true}})"},
    {"callback-before-answer", "8024",
     "the originate's answer waits until the first callback was answered",
     R"({"callbacks":{"beforeAnswer":true},"setupMs":0})"},
    {"answer-slow", "8025", "the originate's answer takes 4 s, dialling begins at once",
     R"({"originate":{"delayMs":4000}})"},
    {"answer-after-end", "8026", "the originate's answer comes when the call is over (10 s)",
     R"({"originate":{"delayMs":10000}})"},
    {"originate-hangs", "8027", "the originate is never answered, the phones ring",
     R"({"originate":{"hang":"after"}})"},
    {"originate-hangs-undialled", "8028", "the originate is never answered, no phone rings",
     R"({"originate":{"hang":"before"}})"},
    {"originate-drops-undialled", "8029", "the connection is dropped before dialling",
     R"({"originate":{"drop":"before"}})"},
    {"originate-drops-dialled", "8030", "the connection is dropped, the phones ring",
     R"({"originate":{"drop":"after"}})"},
    {"originate-500-undialled", "8031", "HTTP 500 without a statusCode, no phone rings",
     R"({"originate":{"httpStatus":500}})"},
    {"originate-502-dialled", "8032", "HTTP 502 without a statusCode, the phones ring",
     R"({"originate":{"httpStatus":502,"dialled":true}})"},
    {"originate-garbage-dialled", "8033", "HTTP 200 with an HTML body, the phones ring",
     R"({"originate":{"rawBody":"<html>busy</html>","dialled":true}})"},
    {"bye-type-200", "8034", "as answered, with byeType 200", R"({"byeType":200})"},
    {"server-error", "8035", "A is not reached because of the platform: byeType 6",
     R"({"a":"unreachable","byeType":6})"},
    {"network-error", "8036", "A is not reached because of the network: byeType 7",
     R"({"a":"unreachable","byeType":7})"},
    {"other", "8037", "A is not reached, byeType 255", R"({"a":"unreachable","byeType":255})"},
    {"sub-status", "8038", "accepted, with subStatusCode 900205 (a display number refused)",
     R"({"originate":{"subStatusCode":"900205"}})"},
    {"recording-late", "8039",
     "the recording appears 10 minutes after the call, its URL has a query",
     R"({"recording":{"afterMs":600000,"query":true}})"},
    {"recording-missing", "8040", "recordUrl answers 404", R"({"recording":{"status":404}})"},
    {"b-many-lines", "8041", "as answered; B takes any number of calls at once",
     R"({"bManyLines":true})"},
    {"instant", "8042", "all pauses 0; B takes any number of calls at once",
     R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":0,"bManyLines":true})"},
    {"callbacks-at-once", "8043", "all callbacks after the call's end, all at the same time",
     R"({"callbacks":{"order":["CallInvite0","CallInvite1","CallEstablish","Hangup"],"atOnce":true}})"},
    {"query-too-old", "8044", "Hangup is lost and the query answers 900219",
     R"({"callbacks":{"lose":["Hangup"]},"query":{"code":"900219"}})"},
    {"lost-invites", "8045", "neither CallInvite is ever pushed",
     R"({"callbacks":{"lose":["CallInvite"]}})"},
    {"lost-invite-a", "8046", "A's CallInvite is never pushed",
     R"({"callbacks":{"lose":["CallInvite0"]}})"},
    {"lost-invite-b", "8047", "B's CallInvite is never pushed",
     R"({"callbacks":{"lose":["CallInvite1"]}})"},
};

struct Code {
  std::string_view code;
  std::string_view meaning;
};

constexpr Code codes[] = {
    {"900000", "unknown error"},
    {"900098", "parameters"},
    {"900100", "authorization"},
    {"900101", "authorization"},
    {"900102", "authorization"},
    {"900103", "authorization"},
    {"900104", "authorization"},
    {"900105", "authorization"},
    {"900106", "authorization"},
    {"900107", "authorization"},
    {"900108", "authorization"},
    {"900109", "authorization"},
    {"900110", "authorization"},
    {"900111", "signature mismatch"},
    {"900112", "appId"},
    {"900113", "appId"},
    {"900114", "appId"},
    {"900115", "appId"},
    {"900116", "appId"},
    {"900117", "account in arrears"},
    {"900122", "account abnormal"},
    {"900123", "app over quota"},
    {"900200", "from"},
    {"900201", "from"},
    {"900202", "to"},
    {"900203", "to"},
    {"900204", "display number not approved"},
    {"900205", "display number not approved"},
    {"900206", "display number not approved"},
    {"900207", "display number not approved"},
    {"900208", "display number not approved"},
    {"900209", "maxCallTime"},
    {"900210", "needRecord"},
    {"900213", "callId"},
    {"900216", "userData too long"},
    {"900217", "callId"},
    {"900218", "record query"},
    {"900219", "record query: too old"},
    {"900220", "from blacklisted"},
    {"900221", "to blacklisted"},
    {"900222", "display number blacklisted"},
    {"900223", "display number blacklisted"},
    {"900224", "query rate"},
};

Script compile(Preset const& preset) {
  Script script;
  script.apply(json::parse(preset.script));
  script.name = preset.name;
  return script;
}

Script refusal(std::string_view code) {
  Script script;
  script.name = "refused-" + std::string(code);
  script.originate.code = code;
  return script;
}

}  // namespace

bool is_documented_code(std::string_view code) {
  for (auto const& known : codes)
    if (known.code == code) return true;
  return false;
}

std::optional<Script> find_preset(std::string_view name) {
  for (auto const& preset : presets)
    if (preset.name == name) return compile(preset);
  if (name.starts_with("refused-") && is_documented_code(name.substr(8)))
    return refusal(name.substr(8));
  return std::nullopt;
}

std::optional<Script> script_by_digits(std::string_view number) {
  if (number.size() < 4) return std::nullopt;
  auto digits = number.substr(number.size() - 4);
  for (auto const& preset : presets)
    if (preset.digits == digits) return compile(preset);
  if (digits[0] != '9') return std::nullopt;
  auto code = "900" + std::string(digits.substr(1));
  if (!is_documented_code(code)) return std::nullopt;
  return refusal(code);
}

json::array list_presets() {
  json::array list;
  for (auto const& preset : presets) {
    json::object item;
    item["name"] = preset.name;
    item["digits"] = preset.digits;
    item["description"] = preset.description;
    item["script"] = compile(preset).to_json();
    list.push_back(std::move(item));
  }
  for (auto const& code : codes) {
    json::object item;
    item["name"] = "refused-" + std::string(code.code);
    item["digits"] = "9" + std::string(code.code.substr(3));
    item["description"] = "the originate is refused with " + std::string(code.code) + ": " +
                          std::string(code.meaning);
    item["script"] = refusal(code.code).to_json();
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace jiuyun
