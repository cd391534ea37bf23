// The phone world: which number is ringing or talking in which call.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/json/array.hpp>

namespace jiuyun {

enum class Leg { a, b };
inline char const* leg_name(Leg leg) {
  return leg == Leg::a ? "a" : "b";
}

class Phones {
 public:
  // The call that holds this phone, or "" if it is idle.
  std::string held_by(std::string const& number) const;
  void ring(std::string const& number, std::string const& call_id, Leg leg);
  void answer(std::string const& number, std::string const& call_id);
  void release(std::string const& number, std::string const& call_id);
  void note_violation(std::string const& number);
  void forget() { phones_.clear(); }

  boost::json::array to_json(std::string const& only_number) const;

 private:
  struct Hold {
    std::string call_id;
    Leg leg;
    bool talking;
  };
  struct Phone {
    std::vector<Hold>
        holds;  // more than one only for numbers with many lines, or after a violation
    std::int64_t rings_a = 0;
    std::int64_t rings_b = 0;
    std::int64_t violations = 0;
  };

  Phone& phone(std::string const& number);

  std::unordered_map<std::string, Phone> phones_;
};

}  // namespace jiuyun
