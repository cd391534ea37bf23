// A tenant's settings as PostgreSQL keeps them (tenant.settings): JSON, as under tenants: in
// cc.yaml but for `keys` and `disabled`, which have columns of their own.
#pragma once

#include <string>
#include <string_view>

#include "config.hpp"
#include "record.hpp"

namespace cc {

/// Of a tenant of cc.yaml. What is as if it were not given is left out.
std::string to_settings(const Tenant& tenant);

/// Checked as cc.yaml is; without keys, not disabled, from_command. Errors: one line for each thing
/// that is wrong, "mainNum: must be 1 to 16 digits".
Result<Tenant> tenant_from_settings(const std::string& name, std::string_view settings);

/// What a command wants of them; what is absent stays.
struct SettingsWish {
  OptText channels;                                   // "e9,hw"; "all"
  OptText main_num, ext_num;                          // "none" removes it
  OptText display;                                    // "toAgent=main,toCustomer=agent"; "default"
  OptText business;                                   // `display` is of calls with this one
  OptText calls_per_second, burst, concurrent_calls;  // "none" removes it
  OptText recording_days;                             // "0": for ever; "none" removes it

  bool empty() const {
    return !channels && !main_num && !ext_num && !display && !business && !calls_per_second &&
           !burst && !concurrent_calls && !recording_days;
  }
};

/// `settings` with the wish fulfilled, checked as above; also against the channels of `config`.
Result<std::string> change_settings(std::string_view settings, const SettingsWish& wish,
                                    const Config& config);

}  // namespace cc
