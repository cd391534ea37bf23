#include "outages.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "reader.hpp"

namespace jiuyun {

namespace json = boost::json;

namespace {

constexpr std::int64_t longest_delay = 3600 * 1000;
constexpr std::string_view dialled_suffix = "-dialled";

std::optional<Outage> parse_outage(std::string_view text) {
  Outage outage;
  outage.text = text;
  if (text.starts_with("refuse:") && text.size() == 13 &&
      text.find_first_not_of("0123456789", 7) == std::string_view::npos) {
    outage.kind = Outage::Kind::refuse;
    outage.code = text.substr(7);
    return outage;
  }
  if (text == "refuse") {
    outage.kind = Outage::Kind::refuse;
    return outage;
  }
  if (text.ends_with(dialled_suffix)) {
    outage.dialled = true;
    text.remove_suffix(dialled_suffix.size());
  }
  if (text == "hang") {
    outage.kind = Outage::Kind::hang;
  } else if (text == "drop") {
    outage.kind = Outage::Kind::drop;
  } else if (text.size() == 3 && text[0] == '5' &&
             text.find_first_not_of("0123456789") == std::string_view::npos) {
    outage.kind = Outage::Kind::error;
    outage.status = static_cast<unsigned int>(std::stoul(std::string(text)));
  } else {
    return std::nullopt;
  }
  return outage;
}

void read_function(Reader& reader, std::string const& name, std::map<std::string, Outage>& into) {
  auto value = reader.find(name);
  if (!value) return;
  into.erase(name);
  if (value->is_null()) return;
  auto const text = value->is_string() ? std::string(std::string_view(value->get_string()))
                                       : json::serialize(*value);
  auto const outage = parse_outage(text);
  if (!outage)
    reader.complain(name, *value,
                    "give hang, drop, 5xx (each of these also with -dialled, for originate), "
                    "refuse, refuse:900xxx or null");
  if (outage->dialled && name != "originate")
    reader.complain(name, *value, "only an originate can be dialled; leave -dialled out");
  into[name] = *outage;
}

bool reset_by_null(Reader& reader, std::string_view key) {
  auto value = reader.find(key);
  return value && value->is_null();
}

}  // namespace

void Outages::apply(json::value const& document) {
  Outages next = *this;
  Reader reader(document, "outage: ");
  if (auto value = reader.find("connections")) {
    if (!value->is_null() && *value != json::value("refuse"))
      reader.complain("connections", *value, "give \"refuse\" or null");
    next.connections_refused_ = !value->is_null();
  }
  for (auto name : {"originate", "cancel", "query"}) read_function(reader, name, next.functions_);
  if (reset_by_null(reader, "originateDelayMs"))
    next.originate_delay_ms_ = 0;
  else
    reader.whole("originateDelayMs", next.originate_delay_ms_, 0, longest_delay);
  if (reset_by_null(reader, "slowDials"))
    next.slow_dials_ = true;
  else
    reader.flag("slowDials", next.slow_dials_);
  std::int64_t bye_type = 0;
  if (reset_by_null(reader, "ends"))
    next.ends_.reset();
  else if (reader.whole("ends", bye_type, 0, 9999))
    next.ends_ = static_cast<int>(bye_type);
  if (reset_by_null(reader, "endsRing"))
    next.ends_ring_ = false;
  else
    reader.flag("endsRing", next.ends_ring_);
  auto callbacks = reader.find("callbacks");
  if (callbacks && callbacks->is_null())
    next.lost_.clear();
  else if (callbacks && *callbacks == json::value("lose"))
    next.lost_ = {"CallInvite", "CallEstablish", "Hangup"};
  else if (callbacks && callbacks->is_array())
    reader.label_list("callbacks", next.lost_);
  else if (callbacks)
    reader.complain("callbacks", *callbacks,
                    "give \"lose\" (all), a list such as [\"CallInvite\",\"Hangup\"], or null");
  reader.finish();
  *this = std::move(next);
}

json::object Outages::to_json() const {
  json::object out;
  out["connections"] = nullptr;
  if (connections_refused_) out["connections"] = "refuse";
  for (auto name : {"originate", "cancel", "query"}) {
    out[name] = nullptr;
    if (auto found = functions_.find(name); found != functions_.end())
      out[name] = found->second.text;
  }
  out["originateDelayMs"] = originate_delay_ms_;
  out["slowDials"] = slow_dials_;
  out["ends"] = nullptr;
  if (ends_) out["ends"] = *ends_;
  out["endsRing"] = ends_ring_;
  out["callbacks"] = nullptr;
  if (!lost_.empty()) out["callbacks"] = json::array(lost_.begin(), lost_.end());
  return out;
}

Outage Outages::of(std::string const& function) const {
  auto found = functions_.find(function);
  return found == functions_.end() ? Outage{} : found->second;
}

bool Outages::loses(std::string_view label) const {
  return names_callback(lost_, label);
}

void Outages::lay_on(Script& script, double speed) const {
  auto const outage = of("originate");
  if (outage.kind != Outage::Kind::none) {
    auto const delay = script.originate.delay_ms;
    script.originate = OriginateScript{};
    script.originate.delay_ms = delay;
    script.originate.dialled = true;
  }
  if (outage.kind == Outage::Kind::refuse) {
    script.originate.dialled = false;
    script.originate.code = outage.code;
  } else if (outage.kind == Outage::Kind::hang) {
    script.originate.fault = Fault::hang_after;
  } else if (outage.kind == Outage::Kind::drop) {
    script.originate.fault = Fault::drop_after;
  } else if (outage.kind == Outage::Kind::error) {
    script.originate.http_status = outage.status;
  }
  script.originate.add_real_delay(originate_delay_ms_, speed);
  if (originate_delay_ms_ > 0 && !slow_dials_) script.originate.dial_after_answer = true;
  if (ends_) script.end_with(*ends_, ends_ring_);
}

}  // namespace jiuyun
