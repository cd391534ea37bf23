#include "call/display.hpp"

namespace cc {

Display display_for(const Tenant& tenant, const OptText& business, std::string_view initiator) {
  Display display = tenant.display;
  if (business) {
    const auto own = tenant.businesses.find(*business);
    if (own != tenant.businesses.end()) display = own->second;
  }
  if (initiator == "customer") display.hide_customer = true;
  return display;
}

std::string to_text(const Display& display) {
  return std::string("toAgent=") + (display.hide_customer ? "main" : "customer") +
         " toCustomer=" + (display.hide_agent ? "main" : "agent");
}

Display display_from_text(const OptText& text) {
  if (!text) return {};
  for (const bool hide_customer : {false, true}) {
    for (const bool hide_agent : {false, true}) {
      const Display display{hide_customer, hide_agent};
      if (to_text(display) == *text) return display;
    }
  }
  return {true, true};
}

}  // namespace cc
