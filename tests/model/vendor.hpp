// The channels as they may behave: each does what its regime says, rings phones, and tells of it or
// not. Knows nothing of CC but what a request carries.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "calls_asked.hpp"
#include "channel/provider.hpp"
#include "store.hpp"

namespace model {

enum class Act : std::uint8_t {
  normal,
  refuses_connection,
  connect_timeout,
  hangs_before,  // the request is taken and never answered; nothing rings
  hangs_after,   // the same, and it rings
  drops_before,  // the connection breaks after the request
  drops_after,
  http_500,  // without a code; nothing rings
  http_500_rings,
  coded_500,      // with a documented code that proves that nothing rang
  foreign_500,    // with somebody else's code
  never_dialled,  // 9000xx, 9001xx, display numbers
  number_refused,
  other_refusal,
  accepts_then_fails,  // final 6 or 7
  line_fault,          // of a seat: its session
  lies,                // never dialled, it says, and dials
};
inline constexpr Act last_act = Act::lies;
const char* to_text(Act act);

struct Regime {
  Ms from = 0;
  Act act = Act::normal;
  int permille = 1000;  // of requests; the rest are normal
};

struct Vendor {
  std::string code;
  bool seats = false;
  bool echoes = true;                                                     // events carry our id
  int lost = 0, doubled = 0, late = 0, hours_late = 0, answers_lost = 0;  // permille
  int slow = 100;                                                         // answers
  int ignored = 0;              // hang-ups that are accepted, and the call goes on
  std::vector<Regime> regimes;  // by time
  const Regime& regime(Ms now) const;
};

struct VendorCall {
  std::int64_t call = 0;
  int attempt = 1;
  int vendor = 0;
  std::string id, handset, called;
  Ms from = 0;
  bool lied = false, over = false, hung_up = false, connected = false;
  std::string close_type = "0";
  Ms ended = 0;
};

class Vendors {
 public:
  explicit Vendors(World& world) : world_(world) {}

  std::vector<Vendor> all;
  std::list<VendorCall> calls;
  std::map<Key, Act> acts;  // the truth of each originate that came so far

  int index_of(const std::string& code) const;
  /// `answer` is called when it comes, or when it is no longer waited for.
  void originate(const Request& request, std::function<void(cc::OriginateAnswer)> answer);
  bool hang_up(const std::string& channel, const std::string& id);

  enum class Query { tells, later, unknown };
  /// Its answer goes into the stream.
  Query query(const std::string& channel, const std::string& id);

 private:
  void dial(const Request& request, int vendor, const std::string& id, Act act);
  void tell(VendorCall& call, cc::EventName name, cc::Source source);
  void tell_at(VendorCall& call, Ms when, cc::EventName name);
  void end_at(VendorCall& call, Ms when, std::string close_type);
  void end(VendorCall& call, std::string close_type);
  cc::OriginateAnswer answer_of(Act act, const std::string& id);

  World& world_;
  std::int64_t last_id_ = 0;
};

}  // namespace model
