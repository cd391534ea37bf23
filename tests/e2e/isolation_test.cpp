// Another tenant's data answers 404, everywhere: every operation of /openapi.json is tried by every
// tenant with every other tenant's ids and filters. What an operation needs is filled in by the
// names of its parameters; one that this test does not know fails it.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <boost/test/unit_test.hpp>

#include "commands.hpp"

using namespace cc::test;

namespace {

using Values = std::map<std::string, std::string>;

constexpr const char* list_methods[] = {"get", "post", "delete", "patch", "put"};  // the last makes

/// A tenant with a bit of everything, and words in it that stand nowhere else.
struct Owner {
  std::string tenant, key;
  Values values;                  // by the name of a parameter
  std::set<std::string> planted;  // nobody else may ever see these
};

struct Operation {
  std::string method, path, id;
  bool with_key = false;
  std::vector<std::string> path_parameters, query_parameters;
  std::optional<json::object> body;  // its schema
};

const json::value& resolved(const json::value& document, const json::value& value) {
  if (!value.is_object() || !value.get_object().contains("$ref")) return value;
  const std::string reference = text_at(value, "$ref");
  return resolved(document, document.at_pointer(reference.substr(1)));
}

void add_parameters(const json::value& document, const json::value& owner, Operation& operation) {
  const json::value* list = owner.get_object().if_contains("parameters");
  if (list == nullptr) return;
  for (const json::value& item : list->as_array()) {
    const json::value& parameter = resolved(document, item);
    const std::string name = text_at(parameter, "name"), in = text_at(parameter, "in");
    if (in == "path") operation.path_parameters.push_back(name);
    if (in == "query") operation.query_parameters.push_back(name);
  }
}

std::vector<Operation> operations_of(const json::value& document) {
  std::vector<Operation> list;
  for (const auto& [path, item] : document.at("paths").as_object()) {
    for (const char* method : list_methods) {
      const json::value* found = item.as_object().if_contains(method);
      if (found == nullptr) continue;
      Operation operation;
      operation.method = method;
      operation.path = path;
      operation.id = text_at(*found, "operationId");
      const json::value* security = found->as_object().if_contains("security");
      operation.with_key = security != nullptr && !security->as_array().empty();
      add_parameters(document, item, operation);
      add_parameters(document, *found, operation);
      if (const json::value* body = found->as_object().if_contains("requestBody")) {
        const json::value& content = resolved(document, *body).at("content");
        operation.body =
            resolved(document, content.at("application/json").at("schema")).as_object();
      }
      list.push_back(std::move(operation));
    }
  }
  return list;
}

struct Site {
  Site() {
    const Outcome made = ccd_command(stack, {"tenant", "create", "made", "--channels", "e9"});
    if (made.status != 0) throw std::runtime_error(made.output);
    const std::string key =
        made_key(stack, {"key", "create", "made", "app", "--scopes", "call,read,numbers,admin"});
    const bool known =
        eventually([&] { return send(with_key(stack, key, "GET", "/v1/calls")).status == 200; });
    if (!known) throw std::runtime_error("the key that was made opens nothing");
    plant("demo", stack.env("CC_KEY"), "1");
    plant("other", stack.env("CC_KEY_OTHER"), "2");
    plant("made", key, "3");
    document = send({.url = stack.env("CC_API") + "/openapi.json"}).body();
    operations = operations_of(document);
  }

  void plant(const std::string& tenant, const std::string& key, const std::string& digit);
  Answer must(const Owner& owner, const std::string& method, const std::string& path,
              const std::string& body, const std::vector<std::string>& headers = {}) const;

  Stack stack{"20"};
  json::value document;
  std::vector<Operation> operations;
  std::vector<Owner> owners;
};

Answer Site::must(const Owner& owner, const std::string& method, const std::string& path,
                  const std::string& body, const std::vector<std::string>& headers) const {
  Call call = with_key(stack, owner.key, method, path, body);
  call.headers.insert(call.headers.end(), headers.begin(), headers.end());
  const Answer answer = send(call);
  if (answer.status < 200 || answer.status > 299) {
    throw std::runtime_error(method + " " + path + ": " + answer.problem + answer.text);
  }
  return answer;
}

void Site::plant(const std::string& tenant, const std::string& key, const std::string& digit) {
  Owner owner{tenant, key, {}, {}};
  const std::string word = "of-" + tenant + "-a5f3";  // ends the planted names
  const auto name = [&](const std::string& kind) { return kind + "-" + word; };
  const std::string line = "1397300000" + digit, customer = "138555" + digit + "8001",
                    talker = "138666" + digit + "8010", request = name("request");
  must(owner, "PUT", "/v1/agents/e9/" + line, R"({"desired":"online"})");
  must(owner, "PUT", "/v1/bindings/" + name("user"),
       R"({"lines":[{"channel":"e9","agent":")" + line + "\"}]}");
  const auto wish = [&](const std::string& called) {
    return json::serialize(json::object{{"called", called},
                                        {"user", name("user")},
                                        {"business", name("biz")},
                                        {"bizType", name("type")},
                                        {"bizId", name("id")},
                                        {"bizData", name("data")}});
  };
  const std::string closed = must(owner, "POST", "/v1/calls", wish(customer),
                                  {"Request-Id: " + request, "Idempotency-Key: " + name("once")})
                                 .at("callId");
  const auto state_of = [&](const std::string& call) {
    return send(with_key(stack, key, "GET", "/v1/calls/" + call)).at("state");
  };
  if (!eventually([&] { return state_of(closed) == "close"; }, Millis{30'000})) {
    throw std::runtime_error("a call does not end");
  }
  const std::string open = must(owner, "POST", "/v1/calls", wish(talker)).at("callId");
  if (!eventually([&] { return state_of(open) == "conn"; }, Millis{30'000})) {
    throw std::runtime_error("a call does not begin");
  }
  // Refused, so that there is a rejection; and read whole, so that there is a row of the audit log.
  send(with_key(stack, key, "POST", "/v1/calls", wish(customer)));
  const json::value record = send(with_key(stack, key, "GET", "/v1/calls/" + closed)).body();
  const std::string channel_call = text_at(record, "channelCallId");
  owner.values = {{"callId", closed},
                  {"ids", closed},
                  {"channelCallId", channel_call},
                  {"user", name("user")},
                  {"prefix", name("user")},
                  {"business", name("biz")},
                  {"bizType", name("type")},
                  {"bizId", name("id")},
                  {"requestId", request},
                  {"agent", line},
                  {"line", line},
                  {"called", customer},
                  {"caller", line},
                  {"open", open},
                  {"channel", "e9"},
                  {"state", "close"},
                  {"closeType", "0"},
                  {"from", "0"},
                  {"to", "4102444800000"},
                  {"limit", "200"},
                  {"key", "demo-all"},
                  {"action", "numbers.shown"},
                  {"code", "line-busy"},
                  {"actual", "offline"},
                  {"reason", "x"},
                  {"replayed", "true"},
                  {"bom", "true"},
                  {"version", "0"}};
  owner.planted = {closed,       open,       channel_call, name("user"), name("biz"),
                   name("type"), name("id"), name("data"), request,      line,
                   customer,     talker,     word};
  owner.planted.erase("");
  owners.push_back(std::move(owner));
}

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
                                   << ": tell it another tenant's in Site::plant()");
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
                                   << ": tell it another tenant's in Site::plant()");
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

BOOST_AUTO_TEST_CASE(nothing_to_be_alarmed_at) {
  BOOST_TEST(site().stack.nginx_alarms() == "");
}
