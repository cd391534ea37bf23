// What a call's record must be, from what the application asked and what really happened. Written
// from the rules of a call's life and the vendor's facts, not from CC's code, of which nothing is
// used: so it catches its mistakes.
//
// Where a part of CC was killed, more than one record can be right, since only the dead process
// knew on which side of its death something was. Each such tolerance is named below with the rule
// that permits it, and comes with the condition under which alone it holds.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "stories.hpp"

namespace cc::test {

/// What an application asked for; `accepted` is the 202's record.
struct Asked {
  std::string call, tenant;
  json::object body;
  Instant posted = 0, answered = 0;  // the first try, the 202
  Instant hangup_asked = 0;          // by the application; 0 = never
  std::string created;               // as the 202 said
};

/// A part was being killed or restarted from here to there.
struct Strike {
  std::string what;  // ccd, postgres, redis; several of them joined by '+'
  Instant from = 0, to = 0;

  bool hits(const std::string& part, Instant since, Instant until) const;
};

/// One of these texts ("" is null), or a time in a range where there are none.
struct Must {
  std::vector<std::string> any;
  Instant from = 0, to = 0;

  bool allows(const std::string& value) const;
  bool operator==(const Must&) const = default;
};

struct Expected {
  std::map<std::string, Must> fields;  // by their names in the API
  std::set<std::string> tolerances;    // that this one needs
};

/// The names of the tolerances, in Expected::tolerances.
namespace tolerance {
/// closeTime of a call that CC closed by its own clock ("The reaper closes at the deadline", with
/// jitter), or of a refusal (the instant when CC was told): not before it could be, not after now.
inline const std::string own_clock = "own clock's close time";
/// A callback whose connection was taken and that was not answered 2xx may be stored or not
/// ("A callback answered 2xx is stored" promises nothing of the others).
inline const std::string unanswered = "callback not answered";
/// ccd was killed between the originate's begin and the committing of its answer: "`sending` with a
/// dead owner becomes `unknown`".
inline const std::string answer_died = "originate's answer died with ccd";
/// ccd or PostgreSQL was killed before the request left: not_sent ("15 s over"), or `unknown` if
/// `sending` had been committed ("committed before the first byte goes out").
inline const std::string never_left = "originate never left";
/// A query was answered while ccd or Redis died, and the call's Hangup had come as well: rank 3 if
/// the answer reached the stream, else rank 2.
inline const std::string query_died = "query's answer died";
/// Words came later after the originate than the reaper's deadline: "a sign of life after an
/// own-clock close sets a flag", if there was one.
inline const std::string late_life = "words after the silence's end";
}  // namespace tolerance

class Oracle {
 public:
  struct Settings {
    Instant silence, grace, answer_timeout;  // ms, as ccd was told
    long max_duration;                       // s, of calls that ask for none
  };

  Oracle(const Stories& stories, std::vector<Strike> strikes, Settings settings);

  /// The records that are right, at least one; the first is the undisturbed one. `now`: of the
  /// comparison.
  std::vector<Expected> of(const Asked& asked, Instant now) const;

 private:
  struct Known;  // a way in which things may have become known to CC

  bool struck(const std::string& part, Instant since, Instant until) const;
  std::vector<Known> ways(const Asked& asked, const Story& story) const;
  std::vector<Expected> never_left(const Asked& asked, Instant now) const;
  Expected record(const Asked& asked, const Story& story, const Known& known, Instant now) const;

  const Stories& stories_;
  const std::vector<Strike> strikes_;
  const Settings settings_;
};

struct Difference {
  std::string call, field, is, must;
};

/// Where a record is not what is expected; a field that it lacks counts as one.
std::vector<Difference> differences(const Expected& expected, const json::value& record);

}  // namespace cc::test
