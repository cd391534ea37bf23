#include "call/choose.hpp"

#include <algorithm>

#include "agent/agent_check.hpp"
#include "call/channel_order.hpp"
#include "phone.hpp"

namespace cc {
namespace {

using Code = Refusal::Code;

Refusal refuse(Code code, std::string detail) {
  return {code, std::move(detail), std::nullopt};
}

class Choosing {
 public:
  Choosing(const NewCall& request, const Knowledge& known) : request_(request), known_(known) {}

  std::vector<const ChannelView*> usable() {
    gather_channels();
    return channels_;
  }

  std::variant<std::vector<Line>, Refusal> run() {
    if (auto refusal = gather_channels()) return *std::move(refusal);
    if (request_.agent) {
      add_named();
    } else {
      if (known_.binding) add_bound(*known_.binding);
      const bool others = !known_.binding || known_.binding->fallback;
      if (others && !contradiction_ && request_.caller) add_phones();
      if (others && !contradiction_) add_pool();
    }
    if (contradiction_) return *std::move(contradiction_);
    if (found_.empty()) return refusal();
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return rank_of(a.view->standing) < rank_of(b.view->standing);
    });
    std::vector<Line> lines;
    for (Found& found : found_) lines.push_back(finished(std::move(found)));
    return lines;
  }

 private:
  struct Found {
    const ChannelView* view = nullptr;
    Line line;
    std::string source;  // where the line comes from, in words
  };

  std::optional<Refusal> gather_channels() {
    for (const ChannelView& view : known_.channels) {
      if (request_.channel && view.config->code != *request_.channel) continue;
      named_channel_ = true;
      if (view.standing == Standing::shut) {
        shut_ += (shut_.empty() ? "" : ", ") + view.config->code;
        continue;
      }
      if (known_.tried_channels.contains(view.config->code)) continue;
      if (std::string lack = lacking(known_.needs, view.config->can); !lack.empty()) {
        unable_ += (unable_.empty() ? "" : "; ") + view.config->code + " " + lack;
        unable_channels_.insert(view.config->code);
        continue;
      }
      channels_.push_back(&view);
    }
    if (request_.channel && !named_channel_) {
      return refuse(Code::unknown_channel,
                    "channel \"" + mask_numbers_in(*request_.channel) +
                        "\" is not one that you may use now; open to you: " + codes());
    }
    put_in_order(channels_, known_.draw);
    if (channels_.empty() && !unable_.empty() && shut_.empty()) {
      return refuse(Code::unable,
                    "no channel that you may use can do what the call needs: " + unable_);
    }
    if (channels_.empty()) {
      return refuse(Code::no_channel,
                    shut_.empty() ? "no channel is open to you; try again later"
                                  : "channel " + shut_ + " is closed to calls by an operator");
    }
    return std::nullopt;
  }

  std::string codes() const {
    std::string list;
    for (const ChannelView& view : known_.channels) {
      list += (list.empty() ? "" : ", ") + view.config->code;
    }
    return list.empty() ? "none" : list;
  }

  const ChannelView* find(const std::string& code) const {
    const auto at = std::find_if(channels_.begin(), channels_.end(), [&](const ChannelView* view) {
      return view->config->code == code;
    });
    return at == channels_.end() ? nullptr : *at;
  }

  void add(const ChannelView* view, std::string agent, std::string handset, std::string source) {
    Found found;
    found.view = view;
    found.line.channel = view->config->code;
    found.line.agent = std::move(agent);
    found.line.handset = std::move(handset);
    found.source = std::move(source);
    if (known_.tried_lines.contains(found.line.line_resource())) return;
    if (!request_.called.empty() && found.line.handset == request_.called) {
      note(refuse(Code::own_number,
                  "is the phone that would ring first, so it would call itself: name another agent "
                  "or caller"));
      return;
    }
    // A line may be reached by more than one way: the first counts.
    const bool there = std::any_of(found_.begin(), found_.end(), [&](const Found& other) {
      return other.line.line_resource() == found.line.line_resource();
    });
    if (!there) found_.push_back(std::move(found));
  }

  void note(Refusal refusal) {
    // A line that is there but not signed in is what was meant; then a busy one.
    const auto weight = [](const Refusal& r) {
      return r.code == Code::line_offline ? 2 : r.code == Code::line_busy ? 1 : 0;
    };
    if (!refusal_ || weight(refusal) > weight(*refusal_)) refusal_ = std::move(refusal);
  }

  // --- the request names the agent

  void add_named() {
    // A line that was made known is meant, whatever else its name may look like: 1000 is a seat,
    // and could be a phone.
    const bool seat =
        std::any_of(known_.channels.begin(), known_.channels.end(), [&](const ChannelView& view) {
          return known_line(view) != nullptr && !line_is_phone(*view.config);
        });
    std::vector<const ChannelView*> order = channels_;
    std::stable_partition(order.begin(), order.end(),
                          [&](const ChannelView* view) { return known_line(*view) != nullptr; });
    for (const ChannelView* view : order) {
      const bool phone = line_is_phone(*view->config);
      if (phone && seat && known_line(*view) == nullptr) continue;
      phone ? add_named_phone(view) : add_named_seat(view);
    }
  }

  const KnownLine* known_line(const ChannelView& view) const {
    const auto at =
        std::find_if(known_.named.begin(), known_.named.end(),
                     [&](const KnownLine& line) { return line.channel == view.config->code; });
    return at == known_.named.end() ? nullptr : &*at;
  }

  void add_named_phone(const ChannelView* view) {
    const std::string& code = view->config->code;
    const std::optional<std::string> phone = canonical_number(*request_.agent);
    if (!phone) {
      note(refuse(Code::no_line, "on channel " + code + " the agent is a phone number, and \"" +
                                     mask_numbers_in(*request_.agent) + "\" is none"));
      return;
    }
    if (request_.caller && *request_.caller != *phone) {
      note(refuse(Code::no_line, "agent " + mask_number(*phone) + " and caller " +
                                     mask_number(*request_.caller) +
                                     " contradict each other: on channel " + code +
                                     " the line is the phone. Give one of them"));
      return;
    }
    const KnownLine* line = known_line(*view);
    if (line != nullptr && !line->online) {
      note(refuse(Code::line_offline, "agent " + mask_number(*phone) + " of channel " + code +
                                          " is out of use: " + line->standing));
      return;
    }
    add(view, *phone, *phone, "line named as agent");
  }

  void add_named_seat(const ChannelView* view) {
    const std::string& code = view->config->code;
    const KnownLine* line = known_line(*view);
    if (line == nullptr) {
      note(refuse(Code::no_line,
                  "channel " + code + " has no agent \"" + mask_numbers_in(*request_.agent) +
                      "\" of yours; make it with PUT /v1/agents/" + code + "/{agent}"));
      return;
    }
    if (!line->online) {
      note(refuse(Code::line_offline, "agent " + line->agent + " of channel " + code +
                                          " is not signed in: " + line->standing));
      return;
    }
    // Another phone than the seat's own: it is signed in anew with that before the call.
    const std::string handset = request_.caller.value_or(line->handset);
    add(view, line->agent, handset,
        handset == line->handset ? "seat named as agent"
                                 : "seat named as agent, on the caller's phone");
  }

  // --- the user is bound

  void add_bound(const Bound& binding) {
    std::size_t number = 0;
    for (const BoundLine& bound : binding.lines) {
      const std::string source = "line " + std::to_string(++number) + " of " +
                                 std::to_string(binding.lines.size()) +
                                 " that the user is bound to";
      if (request_.channel && bound.channel != *request_.channel) continue;
      if (contradicts(bound)) return;
      const ChannelView* view = find(bound.channel);
      if (view == nullptr) {
        if (unable_channels_.contains(bound.channel)) {
          note(refuse(Code::unable,
                      "no line that the user is bound to can do what the call needs: " + unable_));
        }
        continue;
      }
      const bool phone = line_is_phone(*view->config);
      if (!phone && !bound.known) {
        note(refuse(Code::no_line, "the user is bound to seat \"" + mask_numbers_in(bound.agent) +
                                       "\" of channel " + bound.channel +
                                       ", which is no agent of yours"));
        continue;
      }
      if (bound.known && !bound.known->online) {
        note(refuse(Code::line_offline, "agent " + mask_numbers_in(bound.agent) + " of channel " +
                                            bound.channel +
                                            " is not signed in: " + bound.known->standing));
        continue;
      }
      if (bound.known && bound.known->busy) {
        Refusal busy = refuse(Code::line_busy, "the lines that the user is bound to are in calls");
        busy.busy_call = bound.known->busy_call;
        note(std::move(busy));
        continue;
      }
      std::string handset = bound.agent;
      if (!phone) {
        handset = request_.caller ? *request_.caller : binding.phone.value_or(bound.known->handset);
      }
      add(view, bound.agent, std::move(handset), source);
    }
    if (found_.empty() && !refusal_ && !binding.fallback && request_.channel) {
      contradiction_ =
          refuse(Code::no_line, "the user is bound to no line of channel " + *request_.channel +
                                    ", and to nothing else (fallback never)");
    }
  }

  /// Whether the caller is another one than the phone that the user is bound to, however the
  /// channel does just now.
  bool contradicts(const BoundLine& bound) {
    const auto view =
        std::find_if(known_.channels.begin(), known_.channels.end(),
                     [&](const ChannelView& each) { return each.config->code == bound.channel; });
    if (view == known_.channels.end() || !line_is_phone(*view->config)) return false;
    if (!request_.caller || *request_.caller == bound.agent) return false;
    contradiction_ = refuse(
        Code::no_line, "the user is bound to phone " + mask_number(bound.agent) + " on channel " +
                           bound.channel + ", which caller " + mask_number(*request_.caller) +
                           " contradicts. Leave caller out, or change the binding");
    return true;
  }

  // --- the caller's phone, the pool

  void add_phones() {
    for (const ChannelView* view : channels_) {
      if (line_is_phone(*view->config)) {
        add(view, *request_.caller, *request_.caller, "line is the caller's phone");
      }
    }
  }

  void add_pool() {
    for (const ChannelView* view : channels_) {
      const bool phone = line_is_phone(*view->config);
      if (phone && request_.caller) continue;  // the caller's own phone, or none
      for (const KnownLine& line : known_.pool) {
        if (line.channel != view->config->code) continue;
        const std::string handset = phone             ? line.agent
                                    : request_.caller ? *request_.caller
                                                      : line.handset;
        add(view, line.agent, handset,
            handset == line.handset || phone
                ? "least recently used of the pool"
                : "least recently used of the pool, on the caller's phone");
      }
    }
    if (known_.pool_busy) note(refuse(Code::line_busy, "all lines of the pool are in calls"));
  }

  // --- what comes of it

  Refusal refusal() {
    if (refusal_) return *std::move(refusal_);
    if (known_.binding && !known_.binding->fallback) {
      return refuse(Code::no_channel,
                    "no channel of the lines that the user is bound to is open to you now");
    }
    std::string phones, seats;
    for (const ChannelView* view : channels_) {
      std::string& list = line_is_phone(*view->config) ? phones : seats;
      list += (list.empty() ? "" : ", ") + view->config->code;
    }
    std::string detail = "nothing says whose phone shall ring first: give ";
    if (!phones.empty()) {
      detail +=
          "\"agent\" or \"caller\" (on channel " + phones + " both are the agent's phone number)";
    }
    if (!seats.empty()) {
      detail += (phones.empty() ? "" : ", or ") + std::string("\"agent\" (on channel ") + seats +
                " the line is a seat)";
    }
    return refuse(Code::no_line, detail + ", a bound \"user\", or make agents known for a pool");
  }

  Line finished(Found found) const {
    const ChannelView& view = *found.view;
    Line line = std::move(found.line);
    line.trial = view.standing == Standing::trial;
    if (view.standing == Standing::out || view.standing == Standing::degraded) {
      line.notice = view.standing == Standing::out
                        ? "every channel that can make this call is out; " + line.channel +
                              ", the least bad, is tried: " + view.why
                        : "channel " + line.channel + " is degraded: " + view.why;
    }
    line.reason = channel_reason(view) + "; " + found.source;
    return line;
  }

  std::string channel_reason(const ChannelView& view) const {
    std::string why = "channel " + view.config->code;
    const std::string priority = "priority " + std::to_string(view.priority);
    if (view.standing == Standing::out) return why + " is the least bad, all are out";
    if (view.standing == Standing::trial) why += " (a trial call)";
    if (view.standing == Standing::degraded) why += " (degraded, none is whole)";
    if (request_.channel) return why + " named by the request";
    if (known_.channels.size() == 1) return why + " is the only one open";
    if (request_.agent && known_line(view) != nullptr) return why + " is where this line is known";
    std::string passed, equals;
    for (const ChannelView& other : known_.channels) {
      if (&other == &view) continue;
      if (other.priority < view.priority && rank_of(other.standing) > rank_of(view.standing)) {
        passed += (passed.empty() ? "" : ", ") + other.config->code + " is " +
                  std::string(to_text(other.standing));
      }
      if (other.priority == view.priority && rank_of(other.standing) == rank_of(view.standing)) {
        equals += (equals.empty() ? "" : ", ") + other.config->code;
      }
    }
    if (!passed.empty()) return why + ": " + passed;
    if (!equals.empty())
      return why + " drawn by weight, with " + equals + " of the same " + priority;
    const bool first =
        std::all_of(channels_.begin(), channels_.end(),
                    [&](const ChannelView* other) { return other->priority >= view.priority; });
    return why + (first ? " comes first by " : " is the first by priority that has such a line, ") +
           priority;
  }

  const NewCall& request_;
  const Knowledge& known_;
  std::vector<const ChannelView*> channels_;  // that may be chosen, best first
  std::string shut_, unable_;
  std::set<std::string> unable_channels_;
  bool named_channel_ = false;
  std::vector<Found> found_;
  std::optional<Refusal> refusal_;        // of the best line that can't be had
  std::optional<Refusal> contradiction_;  // in the request
};

}  // namespace

std::vector<const ChannelView*> usable_channels(const NewCall& request, const Knowledge& known) {
  return Choosing(request, known).usable();
}

std::vector<Line> with_last_resorts(std::vector<Line> lines) {
  const std::size_t all = lines.size();
  for (std::size_t i = 0; i < all; ++i) {
    if (!lines[i].trial) continue;
    Line last = lines[i];
    last.trial = false;
    last.notice = "channel " + last.channel + " is being tried again, and no other is whole";
    lines.push_back(std::move(last));
  }
  return lines;
}

std::variant<std::vector<Line>, Refusal> choose_lines(const NewCall& request,
                                                      const Knowledge& known) {
  return Choosing(request, known).run();
}

}  // namespace cc
