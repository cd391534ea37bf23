// The kinds that can send; shared/registry.cpp has those that can be understood.
#include <stdexcept>

#include "channel/e9.hpp"
#include "channel/hw.hpp"
#include "channel/provider.hpp"

namespace cc {

std::unique_ptr<Provider> make_provider(const ChannelConfig& config, HttpClient& http,
                                        Clock& clock) {
  if (config.kind == "e9") return make_e9_provider(config, http, clock);
  if (config.kind == "hw") return make_hw_provider(config, http, clock);
  throw std::logic_error("channel " + config.code + " has the kind " + config.kind +
                         ", which read_config should have refused");
}

FileRequest no_way_yet(std::string why) {
  FileRequest request{Error{std::move(why)}};
  request.passing = true;
  return request;
}

FileRequest Provider::file_request(const ChannelFile&) const {
  return Error{"the channel gives no files"};
}

FileAnswer Provider::judge_file(const HttpExchange&, std::string_view) const {
  return {};
}

std::string_view to_text(OriginateAnswer::Outcome outcome) noexcept {
  switch (outcome) {
    case OriginateAnswer::Outcome::accepted:
      return "accepted";
    case OriginateAnswer::Outcome::refused:
      return "refused";
    case OriginateAnswer::Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::optional<ChannelVerdict> verdict_of(const HttpExchange& exchange) noexcept {
  switch (exchange.end) {
    case HttpExchange::End::answered:
    case HttpExchange::End::withheld:
      return std::nullopt;
    case HttpExchange::End::broken:
      return ChannelVerdict::failed;
    case HttpExchange::End::not_resolved:
    case HttpExchange::End::not_connected:
    case HttpExchange::End::tls_failed:
    case HttpExchange::End::timed_out:
      break;
  }
  return ChannelVerdict::unreachable;
}

}  // namespace cc
