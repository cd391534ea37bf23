// Another tenant's data answers 404, everywhere: every operation of /openapi.json is tried by every
// tenant with every other tenant's ids and filters. What an operation needs is filled in by the
// names of its parameters; one that this test does not know fails it.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <boost/test/unit_test.hpp>

#include "commands.hpp"
#include "operations.hpp"
#include "owners.hpp"

using namespace cc::test;

namespace {

struct Site {
  Stack stack{"20"};
  std::vector<Owner> owners = plant_owners(stack);
  json::value document = send({.url = stack.env("CC_API") + "/openapi.json"}).body();
  std::vector<Operation> operations = operations_of(document);
};

Site& site() {
  static Site one;
  return one;
}

/// What goes into a path's braces: the victim's, and what never was anybody's.
struct Id {
  std::string theirs, nobodys;
};

/// Nothing where this test does not know the parameter.
std::optional<Id> id_for(const std::string& path, const std::string& name, const Owner& victim) {
  const auto of = [&](const std::string& value) { return victim.values.at(value); };
  const bool in_agents = path.starts_with("/v1/agents/");
  if (name == "callId") {
    return Id{of("callId"), std::to_string(std::stoll(of("callId")) - (60'000LL << 22))};
  }
  if (in_agents && name == "channel") return Id{"e9", "e9"};
  if (in_agents && name == "agent") return Id{of("line"), "13979999999"};
  if (path.starts_with("/v1/bindings/") && name == "user") return Id{of("user"), "user-of-none"};
  return std::nullopt;
}

/// Nobody's in particular: what is there may be seen by all who see the channel, or by everybody.
std::optional<std::string> shared_for(const std::string& path, const std::string& name) {
  if (path.starts_with("/v1/channels/") && name == "channel") return "e9";
  if (path.starts_with("/v1/dead-letters/") && name == "id") return "1";
  if (path.starts_with("/v1/reconciliation/") && name == "day") return "2026-01-01";
  if (path.starts_with("/problems/") && name == "name") return "too-fast";
  if (path.starts_with("/v1/files/")) {  // whose URLs nobody can make up
    const Values parts{{"tenant", "demo"}, {"year", "2026"}, {"month", "11"}, {"day", "22"},
                       {"file", "720000000000000001.mp3"}};
    const auto part = parts.find(name);
    if (part != parts.end()) return part->second;
  }
  return std::nullopt;
}

std::optional<std::string> query_for(const std::string& path, const std::string& name,
                                     const Owner& victim) {
  if (path.starts_with("/v1/reconciliation") && (name == "from" || name == "to")) {
    return name == "from" ? "2026-01-01" : "2026-01-02";
  }
  const auto found = victim.values.find(name);
  if (found == victim.values.end()) return std::nullopt;
  return found->second;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string filled(std::string path, const Values& ids) {
  for (const auto& [name, value] : ids) path = replaced(path, "{" + name + "}", value);
  return path;
}

std::string title(const Operation& operation) {
  return operation.method + " " + operation.path + " (" + operation.id + ")";
}

/// A body that is right; nothing where this test knows none.
std::optional<std::string> body_for(const Operation& operation, const Owner& victim) {
  if (!operation.body) return "";
  const std::string& id = operation.id;
  if (id == "createRecordingUrl") return R"({"viewer":"a-test"})";
  if (id == "putAgent" || id == "releaseAgent") return "{}";
  if (id == "patchChannel") return R"({"weight":1})";
  if (id == "searchCalls") return "{}";
  if (id == "createCall") {
    return R"({"called":{"callId":")" + victim.values.at("callId") + R"("},"agent":"13974000000"})";
  }
  if (id == "putBinding") return R"({"lines":[{"channel":"e9","agent":"13974000000"}]})";
  return std::nullopt;
}

Answer ask(const Owner& who, const Operation& operation, const std::string& path,
           const std::string& body) {
  std::string method = operation.method;
  std::transform(method.begin(), method.end(), method.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  Call call = with_key(site().stack, who.key, method, path, body);
  if (!operation.with_key) call.headers.clear();
  return send(call);
}

/// None of the victim's words is in an answer, but for those that were asked with.
void check_silence(const Answer& answer, const Owner& victim, const std::string& asked,
                   const std::string& what) {
  std::string all = answer.text;
  for (const auto& [name, value] : answer.headers) all += "\n" + name + ": " + value;
  for (const std::string& word : victim.planted) {
    if (asked.find(word) != std::string::npos) continue;
    BOOST_TEST(all.find(word) == std::string::npos,
               what << " shows " << word << " of " << victim.tenant << ": " << all);
  }
  BOOST_TEST(answer.status != 0, what << ": " << answer.problem);
  BOOST_TEST(answer.status < 500, what << ": " << answer.text);
}

/// What a problem says, without the id that it was asked with and without its request.
std::string words_of(const Answer& answer, const Values& ids) {
  std::string words = std::to_string(answer.status);
  for (const char* member : {"type", "title", "titleZh", "detail", "retryable", "invalidParams"}) {
    words += "\n" + answer.at(member);
  }
  for (const auto& [name, value] : ids) words = replaced(words, value, "{" + name + "}");
  return words;
}

/// As psql prints it: what of the tenant's nobody else may change.
std::string held_by(const Owner& owner) {
  const std::string tenant = "'" + owner.tenant + "'";
  return site().stack.sql(
      "SELECT (SELECT string_agg(concat_ws('/', channel, agent, handset, desired), ' ' ORDER BY "
      "channel, agent) FROM agent WHERE tenant = " +
      tenant +
      "), (SELECT string_agg(concat_ws("
      "'/', user_id, lines, phone, fallback, updated), ' ' ORDER BY user_id) FROM binding WHERE "
      "tenant = " +
      tenant +
      "), (SELECT row(r.*)::text FROM call_record r WHERE id = " + owner.values.at("callId") +
      "), (SELECT count(*) FROM call_attempt WHERE call = " + owner.values.at("open") +
      " AND hangup_asked IS NULL)");
}

/// With another's ids: the same as with ids that never were.
void try_ids(const Operation& operation, const Owner& victim, const Owner& intruder) {
  Values theirs, nobodys;
  for (const std::string& name : operation.path_parameters) {
    if (const auto id = id_for(operation.path, name, victim)) {
      theirs[name] = id->theirs;
      nobodys[name] = id->nobodys;
    } else if (const auto shared = shared_for(operation.path, name)) {
      theirs[name] = nobodys[name] = *shared;
    } else {
      BOOST_ERROR(title(operation) << ": this test can't fill the path's {" << name
                                   << "}: tell it another tenant's in id_for()");
      return;
    }
  }
  const auto body = body_for(operation, victim);
  BOOST_REQUIRE_MESSAGE(body, title(operation)
                                  << ": this test has no body: tell it one in body_for()");
  const std::string path = filled(operation.path, theirs);
  const std::string what = intruder.tenant + ": " + title(operation) + " with " + path;
  const Answer answer = ask(intruder, operation, path, *body);
  check_silence(answer, victim, path + *body, what);
  if (theirs == nobodys) return;
  const Answer none = ask(intruder, operation, filled(operation.path, nobodys), *body);
  if (operation.method == "put") {
    // Makes one, unless its name is taken over all tenants; it is removed again.
    BOOST_TEST((none.status == 200 || none.status == 201), what << none.text);
    for (const Values& ids : {theirs, nobodys}) {
      send(with_key(site().stack, intruder.key, "DELETE", filled(operation.path, ids)));
    }
    return;
  }
  BOOST_TEST(answer.status == 404, what << ": " << answer.text);
  BOOST_TEST(words_of(answer, theirs) == words_of(none, nobodys), what);
}

/// Lists: each filter by itself, and another's cursor.
void try_filters(const Operation& operation, const Owner& victim, const Owner& intruder) {
  if (!operation.with_key) return;  // lists nothing of anybody's
  Values shared;
  for (const std::string& name : operation.path_parameters) {
    const auto value = shared_for(operation.path, name);
    if (!value) return;  // of one thing and no list: try_ids() has asked
    shared[name] = *value;
  }
  const std::string path = filled(operation.path, shared);
  for (const std::string& name : operation.query_parameters) {
    std::string query;
    if (name == "cursor") {
      const std::string next =
          send(with_key(site().stack, victim.key, "GET", path + "?limit=1")).at("next");
      if (next.empty()) continue;
      query = path + "?limit=200&cursor=" + next;
    } else if (const auto value = query_for(operation.path, name, victim)) {
      query = path + "?" + name + "=" + *value;
    } else {
      BOOST_ERROR(title(operation) << ": this test can't fill the query's " << name
                                   << ": tell it another tenant's in plant() of owners.cpp");
      continue;
    }
    const std::string what = intruder.tenant + ": " + title(operation) + " with " + query;
    const Answer answer = ask(intruder, operation, query, "");
    check_silence(answer, victim, query, what);
    BOOST_TEST((answer.status == 200 || answer.status == 400), what << ": " << answer.text);
  }
}

/// Searches: each member of the body by itself.
void try_members(const Operation& operation, const Owner& victim, const Owner& intruder) {
  const json::value* properties = operation.body->if_contains("properties");
  BOOST_REQUIRE(properties != nullptr);
  for (const auto& [member, schema] : properties->as_object()) {
    const std::string name(member);
    json::object body;
    if (name == "cursor") {
      const std::string next =
          send(with_key(site().stack, victim.key, "POST", operation.path, R"({"limit":1})"))
              .at("next");
      if (next.empty()) continue;
      body[name] = next;
    } else if (const auto value = query_for(operation.path, name, victim)) {
      body[name] = *value;
      if (name == "ids") body[name] = json::array{json::value(*value)};
      if (name == "from" || name == "to" || name == "limit") body[name] = std::stoll(*value);
    } else {
      BOOST_ERROR(title(operation) << ": this test can't fill the body's " << name
                                   << ": tell it another tenant's in plant() of owners.cpp");
      continue;
    }
    const std::string text = json::serialize(body);
    const std::string what = intruder.tenant + ": " + title(operation) + " with " + text;
    const Answer answer = ask(intruder, operation, operation.path, text);
    check_silence(answer, victim, text, what);
    BOOST_TEST(answer.status == 200, what << ": " << answer.text);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_document_has_what_is_to_be_tried) {
  std::set<std::string> ids;
  for (const Operation& operation : site().operations) ids.insert(operation.id);
  BOOST_TEST(ids.size() > 25U);
  BOOST_TEST(ids.size() == site().operations.size());
  for (const char* id : {"createCall", "getCall", "getCallEvents", "hangUpCall", "listCalls",
                         "searchCalls", "exportCalls", "listRejections", "listAudit"}) {
    BOOST_TEST(ids.contains(id), id);
  }
}

BOOST_AUTO_TEST_CASE(what_is_planted_is_seen_by_its_owner) {
  for (const Owner& owner : site().owners) {
    std::set<std::string> seen;  // operations that show any of it
    for (const Operation& operation : site().operations) {
      if (operation.method != "get" && operation.id != "searchCalls") continue;
      if (operation.id == "getRecording") continue;  // these calls have none
      Values ids;
      for (const std::string& name : operation.path_parameters) {
        if (const auto id = id_for(operation.path, name, owner)) ids[name] = id->theirs;
      }
      const std::string path = filled(operation.path, ids);
      if (path.find('{') != std::string::npos) continue;
      const Answer answer = ask(owner, operation, path, operation.body ? "{}" : "");
      BOOST_TEST(answer.status == 200, path << ": " << answer.text);
      for (const std::string& word : owner.planted) {
        if (path.find(word) == std::string::npos && answer.text.find(word) != std::string::npos) {
          seen.insert(operation.id);
        }
      }
    }
    for (const char* id : {"listCalls", "searchCalls", "exportCalls", "listRejections",
                           "listBindings", "getBinding", "listAudit", "getCall", "getCallEvents"}) {
      BOOST_TEST(seen.contains(id), owner.tenant << " sees nothing of its own by " << id);
    }
  }
}

BOOST_AUTO_TEST_CASE(nobody_sees_or_changes_what_is_another_s) {
  std::size_t tried = 0;
  for (const Owner& victim : site().owners) {
    const std::string before = held_by(victim);
    for (const Owner& intruder : site().owners) {
      if (intruder.tenant == victim.tenant) continue;
      for (const Operation& operation : site().operations) {
        if (operation.id == "createCall") continue;  // see below
        ++tried;
        try_ids(operation, victim, intruder);
        try_filters(operation, victim, intruder);
        if (operation.id == "searchCalls") try_members(operation, victim, intruder);
      }
    }
    BOOST_TEST(held_by(victim) == before);
    const Answer open =
        send(with_key(site().stack, victim.key, "GET", "/v1/calls/" + victim.values.at("open")));
    BOOST_TEST(open.at("state") == "conn", open.text);
  }
  BOOST_TEST(tried ==
             site().owners.size() * (site().owners.size() - 1) * (site().operations.size() - 1));
}

BOOST_AUTO_TEST_CASE(nobody_calls_by_what_is_another_s) {
  for (const Owner& victim : site().owners) {
    for (const Owner& intruder : site().owners) {
      if (intruder.tenant == victim.tenant) continue;
      const auto post = [&](const std::string& body, const std::string& key = "") {
        Call call = with_key(site().stack, intruder.key, "POST", "/v1/calls", body);
        if (!key.empty()) call.headers.push_back("Idempotency-Key: " + key);
        const Answer answer = send(call);
        check_silence(answer, victim, body, intruder.tenant + ": POST /v1/calls " + body);
        return answer;
      };
      const auto of_call = [](const std::string& call) {
        return R"({"called":{"callId":")" + call + R"("},"agent":"13974000000"})";
      };
      const Values theirs{{"id", victim.values.at("callId")}, {"user", victim.values.at("user")}};
      const Values nobodys{{"id", id_for("", "callId", victim)->nobodys}, {"user", "user-of-none"}};
      const Answer customer = post(of_call(theirs.at("id")));
      BOOST_TEST(customer.status == 400, customer.text);
      BOOST_TEST(words_of(customer, theirs) == words_of(post(of_call(nobodys.at("id"))), nobodys));
      const auto of_user = [](const std::string& user) {
        return R"({"called":"13800008010","user":")" + user + "\"}";
      };
      const Answer user = post(of_user(theirs.at("user")));
      BOOST_TEST(user.status >= 400, user.text);
      BOOST_TEST(words_of(user, theirs) == words_of(post(of_user(nobodys.at("user"))), nobodys));
      // Whose call keeps the phone is not said.
      const Answer busy = post(call_body(victim.values.at("caller"), "13800008010"));
      BOOST_TEST(busy.status == 409, busy.text);
      BOOST_TEST(busy.at("callId") == "");
      // An idempotency key is its tenant's: this is another one, and no repeat.
      const Answer once = post(of_call(nobodys.at("id")), "once-of-" + victim.tenant + "-a5f3");
      BOOST_TEST(once.status == 400, once.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_of_a_channel_that_is_closed_to_a_tenant_is_not_there) {
  Stack& stack = site().stack;
  const std::string word = "planted-in-a-letter";
  const std::string letter = stack.sql(
      "INSERT INTO dead_letter (delivery_key, channel, reason, received, raw, first_seen, "
      "last_seen) VALUES ('\\x0011', 'e9b', 'unreadable', 1, 'planted-in-a-letter', 1, 1) "
      "RETURNING id");
  const std::string id = letter.substr(0, letter.find('\n'));
  const auto path_for = [&](const Operation& operation, bool there) {
    return filled(operation.path,
                  {{"channel", there ? "e9b" : "none"}, {"id", there ? id : "999999999999"}});
  };
  Owner all = site().owners.front(), one = site().owners.back();
  BOOST_REQUIRE(one.tenant == "made");  // has e9 only
  all.planted = {word};
  std::set<std::string> tried;
  for (const Operation& operation : site().operations) {
    const bool channels = operation.path.starts_with("/v1/channels");
    if (!channels && !operation.path.starts_with("/v1/dead-letters")) continue;
    const auto body = body_for(operation, all);
    BOOST_REQUIRE(body);
    const Answer answer = ask(one, operation, path_for(operation, true), *body);
    const std::string what = title(operation) + " as " + one.tenant;
    check_silence(answer, all, "", what);
    tried.insert(operation.id);
    if (operation.path_parameters.empty()) {
      BOOST_TEST(answer.text.find("e9b") == std::string::npos, what << answer.text);
      continue;
    }
    const Answer none = ask(one, operation, path_for(operation, false), *body);
    BOOST_TEST(answer.status == 404, what << ": " << answer.text);
    BOOST_TEST(words_of(answer, {{"x", "e9b"}}) == words_of(none, {{"x", "none"}}), what);
  }
  BOOST_TEST(tried.size() == 6U);
  const Answer seen = send(with_key(stack, all.key, "GET", "/v1/dead-letters/" + id));
  BOOST_TEST(seen.status == 200, seen.text);
  BOOST_TEST(send(with_key(stack, all.key, "GET", "/v1/channels/e9b")).status == 200);
}

BOOST_AUTO_TEST_CASE(nothing_to_be_alarmed_at) {
  BOOST_TEST(site().stack.nginx_alarms() == "");
}
