// A configuration with both kinds of channels and two tenants.
#pragma once

#include "config.hpp"
#include "vault.hpp"

namespace cc::test {

inline Config agents_config() {
  Config config;
  for (const char* kind : {"e9", "hw"}) {
    ChannelConfig& channel = config.channels[kind];
    channel.code = channel.kind = kind;
    channel.default_tenant = "acme";
  }
  config.tenants["acme"].name = "acme";
  config.tenants["other"].name = "other";
  config.tenants["e9only"].name = "e9only";
  config.tenants["e9only"].channels = {"e9"};
  config.agents.key = std::string(Vault::key_size, 'k');
  return config;
}

}  // namespace cc::test
