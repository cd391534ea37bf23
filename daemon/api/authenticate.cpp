#include "authenticate.hpp"

#include <algorithm>

#include "beijing_time.hpp"

namespace cc::api {
namespace {

/// The token of "Bearer <token>"; the scheme in any case (RFC 9110).
std::string_view bearer(std::string_view header) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return {};
  }
  header.remove_prefix(scheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

Problem refuse(ProblemType type, std::string detail) {
  Problem problem;
  problem.type = type;
  problem.detail = std::move(detail);
  return problem;
}

std::string remedy(const KeyRing::Known& key) {
  return key.stored ? "Whoever runs CC makes another one: ccd key --help."
                    : "Whoever runs CC changes it in cc.yaml.";
}

/// Why it opens nothing now, to nobody.
std::optional<Problem> closed(const KeyRing::Known& key, std::int64_t now_ms) {
  const std::string name = "The key \"" + key.principal.key + "\"";
  if (key.revoked) {
    return refuse(ProblemType::unauthorized, name + " has been revoked. " + remedy(key));
  }
  if (key.expires_ms != 0 && key.expires_ms <= now_ms) {
    return refuse(ProblemType::unauthorized,
                  name + " expired at " + format_utc(key.expires_ms) + ". " + remedy(key));
  }
  if (key.principal.tenant->disabled) {
    return refuse(ProblemType::tenant_disabled,
                  "The tenant \"" + key.principal.tenant->name +
                      "\" is disabled: its keys open nothing until whoever runs CC enables it.");
  }
  return std::nullopt;
}

std::optional<Problem> from_elsewhere(const KeyRing::Known& key, const std::string& peer) {
  if (key.networks.empty()) return std::nullopt;
  const auto address = parse_address(peer);
  if (address && std::any_of(key.networks.begin(), key.networks.end(),
                             [&](const Network& one) { return one.contains(*address); })) {
    return std::nullopt;
  }
  // A peer that nobody knows may be anywhere.
  return refuse(ProblemType::address_not_allowed,
                "The key \"" + key.principal.key + "\" may not be used from " +
                    (address ? "the address " + peer
                             : std::string("an address that is not known: the proxy in front has "
                                           "to send X-Forwarded-For")) +
                    ".");
}

}  // namespace

std::variant<Principal, Problem> authenticate(const KeyRing& keys, const Request& request,
                                              Scope scope, std::int64_t now_ms,
                                              const KeyRing::Known*& found) {
  const std::string* header = request.header("authorization");
  found = nullptr;
  if (header != nullptr && request.header_count("authorization") == 1) {
    found = keys.find(bearer(*header));
  }
  if (found == nullptr) {
    return refuse(ProblemType::unauthorized,
                  header == nullptr
                      ? "Send the header \"Authorization: Bearer <key>\"."
                      : "The key is not known, or Authorization is not \"Bearer <key>\".");
  }
  if (auto problem = closed(*found, now_ms)) return *std::move(problem);
  if (auto problem = from_elsewhere(*found, request.peer)) return *std::move(problem);
  if (!found->principal.may(scope)) {
    const std::string name(to_text(scope));
    Problem problem =
        refuse(ProblemType::missing_scope,
               "The key \"" + found->principal.key + "\" lacks the scope \"" + name + "\".");
    problem.members.emplace_back("scope", name);
    return problem;
  }
  return found->principal;
}

}  // namespace cc::api
