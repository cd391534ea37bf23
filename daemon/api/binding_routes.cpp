// /v1/bindings: which lines a user of an application calls on. For operators: scope admin.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "json_body.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "router.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_bindings = 1000;  // of a page
constexpr std::int64_t default_bindings = 100;
constexpr std::size_t longest_user = 256;  // bytes

/// Lines and phones are agents', no customers': whoever may set them sees them.
json::object to_object(const Binding& binding) {
  json::object object;
  object["user"] = binding.user;
  json::array& lines = object["lines"].emplace_array();
  for (const Binding::Line& line : binding.lines) {
    json::object item;
    item["channel"] = line.channel;
    item["agent"] = line.agent;
    lines.push_back(std::move(item));
  }
  object["phone"] = nullptr;
  if (binding.phone) object["phone"] = *binding.phone;
  object["fallback"] = binding.fallback ? "auto" : "never";
  object["updated"] = binding.updated;
  return object;
}

Response document_of(unsigned status, const Binding& binding) {
  Response response;
  response.status = status;
  response.body = json::serialize(to_object(binding));
  return response;
}

Response no_such_binding(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::binding_not_found;
  problem.detail = "No binding of yours is of this user.";
  return exchange.refuse(problem);
}

Response refuse(const Exchange& exchange, const BindingRefusal& refusal) {
  Problem problem;
  const std::string name = refusal.field == "user" ? "path user" : refusal.field;
  switch (refusal.code) {
    case BindingRefusal::Code::invalid:
    case BindingRefusal::Code::unknown_line:
      problem.type = ProblemType::invalid_request;
      break;
    case BindingRefusal::Code::unknown_channel:
      problem.type = ProblemType::unknown_channel;
      break;
    case BindingRefusal::Code::not_found:
      return no_such_binding(exchange);
  }
  problem.detail = name + " " + refusal.detail + ".";
  problem.invalid_params.push_back({name, refusal.detail});
  return exchange.refuse(problem);
}

/// Who did what to which user's binding. A user's name may be a number, however written: masked.
void audit(const Exchange& exchange, std::string_view what, const std::string& more = {}) {
  const std::string& user = exchange.parameters[0];
  log().info("audit request={} tenant={} key={} {}=binding/{}{}", exchange.request.id,
             exchange.key.tenant->name, exchange.key.key, what,
             mask_numbers_in(percent_encode(canonical_number(user).value_or(user))), more);
}

std::string summary(const Binding& binding) {
  std::string text = " lines=";
  for (const Binding::Line& line : binding.lines) {
    if (!text.ends_with('=')) text += ',';
    text.append(line.channel).append("/").append(mask_numbers_in(line.agent));
  }
  if (binding.phone) text += " phone=" + mask_number(*binding.phone);
  return text + (binding.fallback ? " fallback=auto" : " fallback=never");
}

/// What is no UTF-8 can't be asked for.
bool may_exist(const Exchange& exchange) {
  return repair_utf8(exchange.parameters[0]) == exchange.parameters[0];
}

/// Takes a body apart and gathers what is wrong with it.
class BodyReader {
 public:
  BodyReader(const json::object& object, Binding& wish) : wish_(wish) {
    for (const auto& member : object) {
      const std::string_view name = member.key();
      if (name == "lines") {
        has_lines_ = true;
        read_lines(member.value());
      } else if (name == "phone") {
        if (!member.value().is_null()) wish_.phone = text("phone", member.value());
      } else if (name == "fallback") {
        read_fallback(member.value());
      } else {
        refuse(shown_name(name), "unknown field");
      }
    }
    if (!has_lines_) refuse("lines", "is required: [{\"channel\": \"…\", \"agent\": \"…\"}]");
  }

  std::vector<InvalidParam> wrong() && { return std::move(wrong_); }

 private:
  void refuse(std::string name, std::string reason) {
    wrong_.push_back({std::move(name), std::move(reason)});
  }

  std::string text(const std::string& name, const json::value& value) {
    if (const json::string* content = value.if_string()) return std::string(*content);
    refuse(name, "must be text");
    return {};
  }

  void read_lines(const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->empty() || list->size() > most_bound_lines) {
      refuse("lines", "must be a list of 1 to " + std::to_string(most_bound_lines) + " lines");
      return;
    }
    for (std::size_t place = 0; place < list->size(); ++place) {
      const std::string name = "lines[" + std::to_string(place) + "]";
      if (const json::object* line = (*list)[place].if_object()) {
        read_line(name, *line);
      } else {
        refuse(name, "must be an object with channel and agent");
      }
    }
  }

  void read_line(const std::string& name, const json::object& object) {
    Binding::Line line;
    bool channel = false, agent = false;
    for (const auto& member : object) {
      if (member.key() == "channel") {
        channel = true;
        line.channel = text(name + ".channel", member.value());
      } else if (member.key() == "agent") {
        agent = true;
        line.agent = text(name + ".agent", member.value());
      } else {
        refuse(name + "." + shown_name(member.key()), "unknown field");
      }
    }
    if (!channel) refuse(name + ".channel", "is required: the channel's code");
    if (!agent) refuse(name + ".agent", "is required: the seat's number, or the agent's phone");
    wish_.lines.push_back(std::move(line));
  }

  void read_fallback(const json::value& value) {
    const json::string* content = value.if_string();
    if (content != nullptr && (*content == "auto" || *content == "never")) {
      wish_.fallback = *content == "auto";
    } else if (!value.is_null()) {
      refuse("fallback", "must be auto or never");
    }
  }

  Binding& wish_;
  bool has_lines_ = false;
  std::vector<InvalidParam> wrong_;
};

std::optional<Problem> read_wish(const Request& request, Binding& wish) {
  auto body = read_object(request);
  if (Problem* problem = std::get_if<Problem>(&body)) return std::move(*problem);
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.invalid_params = BodyReader(std::get<json::object>(body), wish).wrong();
  if (problem.invalid_params.empty()) return std::nullopt;
  problem.detail = "The body is wrong; invalidParams names what.";
  return problem;
}

/// A path's segment: percent_encode() leaves what may stand in a whole path.
std::string segment(std::string_view text) {
  std::string encoded;
  for (const char c : percent_encode(text)) {
    if (c == '/') {
      encoded += "%2F";
    } else if (c == '?') {
      encoded += "%3F";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

asio::awaitable<Response> put_binding(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  Binding wish;
  wish.tenant = exchange.key.tenant->name;
  wish.user = exchange.parameters[0];
  if (auto problem = read_wish(exchange.request, wish)) co_return exchange.refuse(*problem);
  auto putting = exchange.parts.nouns.bindings->put(std::move(wish));
  const std::variant<Bindings::Put, BindingRefusal> result = co_await std::move(putting);
  if (const BindingRefusal* refusal = std::get_if<BindingRefusal>(&result)) {
    co_return refuse(exchange, *refusal);
  }
  const Bindings::Put& put = std::get<Bindings::Put>(result);
  audit(exchange, put.created ? "creates" : "sets", summary(put.binding));
  Response response = document_of(put.created ? 201 : 200, put.binding);
  if (put.created) {
    response.headers.emplace_back("Location", "/v1/bindings/" + segment(put.binding.user));
  }
  co_return response;
}

asio::awaitable<Response> get_binding(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  if (!may_exist(exchange)) co_return no_such_binding(exchange);
  auto getting =
      exchange.parts.nouns.bindings->get(exchange.key.tenant->name, exchange.parameters[0]);
  const std::optional<Binding> binding = co_await std::move(getting);
  co_return binding ? document_of(200, *binding) : no_such_binding(exchange);
}

/// The last page's last user, in hex: a page goes on behind it.
void read_cursor(QueryReader& query, BindingFilter& filter) {
  const auto cursor = query.text("cursor", 2 * longest_user);
  if (!cursor) return;
  filter.after_user = from_hex(*cursor);
  if (filter.after_user && repair_utf8(*filter.after_user) == *filter.after_user) return;
  query.refuse("cursor", "must be the `next` of the page before");
}

asio::awaitable<Response> list_bindings(Exchange& exchange) {
  QueryReader query(exchange.target);
  BindingFilter filter;
  filter.channel = query.text("channel", 8);
  filter.agent = query.text("agent", 64);
  filter.prefix = query.text("prefix", longest_user);
  read_cursor(query, filter);
  const std::int64_t limit = query.integer("limit", 1, most_bindings).value_or(default_bindings);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  filter.limit = static_cast<int>(limit) + 1;  // one more tells whether there is a next page
  auto listing = exchange.parts.nouns.bindings->list(exchange.key.tenant->name, std::move(filter));
  std::vector<Binding> bindings = co_await std::move(listing);
  const bool more = bindings.size() > static_cast<std::size_t>(limit);
  if (more) bindings.pop_back();
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const Binding& binding : bindings) items.push_back(to_object(binding));
  document["next"] = nullptr;
  if (more) document["next"] = to_hex(bindings.back().user);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> delete_binding(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  if (!may_exist(exchange)) co_return no_such_binding(exchange);
  auto removing =
      exchange.parts.nouns.bindings->remove(exchange.key.tenant->name, exchange.parameters[0]);
  const bool removed = co_await std::move(removing);
  if (!removed) co_return no_such_binding(exchange);
  audit(exchange, "deletes");
  Response response;
  response.status = 204;
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/bindings", Scope::admin, list_bindings},
    Route{"PUT", "/v1/bindings/{user}", Scope::admin, put_binding},
    Route{"GET", "/v1/bindings/{user}", Scope::admin, get_binding},
    Route{"DELETE", "/v1/bindings/{user}", Scope::admin, delete_binding},
};

}  // namespace

std::span<const Route> binding_routes() noexcept {
  return routes;
}

}  // namespace cc::api
