// The directives of a location: cc_channel, cc_status, cc_hide_requests.
#include <string>
#include <string_view>
#include <vector>

#include "callback.hpp"
#include "command.hpp"
#include "directive_words.hpp"
#include "directives.hpp"
#include "settings.hpp"
#include "status.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t max_code = 8;

// ---- cc_channel CODE [kind=KIND] tokens=FILE [app_ids=a,b | app_ids_file=FILE]
//      [addresses=a,b | addresses_file=FILE] ----

Problem read_code(std::string_view code) {
  bool fits =
      !code.empty() && code.size() <= max_code &&
      code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
  if (fits) return {};
  return Error{quoted(code) +
               " is no channel code; a code has 1 to 8 of a-z, 0-9, '-', '_', e.g. e9"};
}

/// "a,b,c" → its parts, trimmed; empty ones are left out.
std::vector<std::string> listed(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    auto comma = list.find(',');
    auto part = trim(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

Problem add_addresses(const std::vector<std::string>& texts, Trust& trust) {
  for (const std::string& text : texts) {
    auto network = parse_network(text);
    if (!network) return Error{"addresses: " + network.error().message};
    trust.addresses.push_back(*network);
  }
  return {};
}

Problem read_tokens_option(ngx_conf_t* cf, std::string_view name, Trust& trust) {
  std::string path = full_path(cf, name);
  auto lines = read_tokens(path);
  if (!lines) return lines.error();
  warn_if_readable(cf, *lines, path);
  trust.tokens = std::move(lines->values);
  return {};
}

Problem read_list_file(ngx_conf_t* cf, std::string_view name, std::string_view what,
                       std::vector<std::string>& values) {
  auto lines = read_lines(full_path(cf, name), what);
  if (!lines) return lines.error();
  values = std::move(lines->values);
  return {};
}

/// One option of a channel. A list that is given but names nobody must not mean "anybody".
Problem read_channel_option(ngx_conf_t* cf, std::string_view word, std::string& kind,
                            Trust& trust) {
  if (auto name = option(word, "kind")) {
    kind = *name;
    return {};
  }
  if (auto file = option(word, "tokens")) return read_tokens_option(cf, *file, trust);
  std::vector<std::string> values;
  for (std::string_view what : {"app_ids", "addresses"}) {
    auto list = option(word, what);
    auto file = option(word, std::string(what) + "_file");
    if (!list && !file) continue;
    if (list) values = listed(*list);
    if (file) {
      if (auto problem = read_list_file(cf, *file, what, values)) return problem;
    }
    if (values.empty()) {
      return Error{std::string(what) + "= names none; list them, separated by commas, or leave " +
                   std::string(what) + " out"};
    }
    if (what == "addresses") return add_addresses(values, trust);
    trust.app_ids.insert(trust.app_ids.end(), values.begin(), values.end());
    return {};
  }
  return unknown(word,
                 "kind=KIND, tokens=FILE, app_ids=A,B, app_ids_file=FILE, addresses=A,B and "
                 "addresses_file=FILE");
}

Problem read_options(ngx_conf_t* cf, Words words, std::string& kind, Trust& trust) {
  for (const auto& word : words) {
    if (auto problem = read_channel_option(cf, view(word), kind, trust)) return problem;
  }
  return {};
}

/// The location's content handler; two modules that both want to answer would be decided by order.
Problem claim_location(ngx_conf_t* cf, ngx_http_handler_pt handler) {
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (core->handler != nullptr) {
    return Error{
        "stands in a location that something else answers already; give it a location of its own"};
  }
  core->handler = handler;
  return {};
}

Problem read_cc_channel(ngx_conf_t* cf, Words words, LocationSettings& location) {
  if (location.channel != nullptr) return Error{"is given twice; a location takes one channel"};
  auto* settings = make_in_pool<ChannelSettings>(cf->pool);
  if (settings == nullptr) throw std::bad_alloc();
  if (auto problem = read_code(view(words[1]))) return problem;
  settings->code = view(words[1]);
  settings->field = redis_argument(settings->code);

  std::string kind = settings->code;
  if (auto problem = read_options(cf, words.subspan(2), kind, settings->trust)) {
    return Error{quoted(settings->code) + ": " + problem->message};
  }
  settings->channel = find_channel(kind);
  if (settings->channel == nullptr) {
    return Error{quoted(settings->code) + " is of no known kind " + quoted(kind) +
                 "; known: " + known_kinds() + ". A second account has its own code and kind=KIND"};
  }
  if (!settings->channel->pushes()) {
    return Error{quoted(settings->code) + ": channels of kind " + quoted(kind) +
                 " never call back, ccd polls them; take the directive away"};
  }
  if (settings->trust.tokens.empty()) {
    return Error{quoted(settings->code) +
                 " has no tokens, so anybody could call back; add tokens=FILE"};
  }
  settings->answer = settings->channel->answer();
  if (auto problem = claim_location(cf, handle_callback)) return problem;
  location.channel = settings;
  main_settings(cf)->has_channel = true;
  main_settings(cf)->needs_counters = true;
  return {};
}

// ---- cc_status [json | prometheus] ----

Problem read_cc_status(ngx_conf_t* cf, Words words, LocationSettings& location) {
  auto form = words.size() > 1 ? view(words[1]) : "json";
  if (form != "json" && form != "prometheus") return unknown(form, "json or prometheus");
  location.prometheus = form == "prometheus";
  if (auto problem = claim_location(cf, handle_status)) return problem;
  main_settings(cf)->needs_counters = true;
  return {};
}

}  // namespace

char* set_cc_channel(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& location = *static_cast<LocationSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_channel(cf, words, location); });
}

char* set_cc_status(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& location = *static_cast<LocationSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_status(cf, words, location); });
}

char* set_cc_hide_requests(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept {
  if (char* problem = ngx_conf_set_flag_slot(cf, command, conf)) return problem;
  if (static_cast<LocationSettings*>(conf)->hides_requests == 1) {
    main_settings(cf)->hides_requests = true;
  }
  return NGX_CONF_OK;
}

}  // namespace cc
