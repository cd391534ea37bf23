// Lays what the simulators saw beside what CC says, and tells of all that must not be.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "polling_oracle.hpp"
#include "schedules_journal.hpp"
#include "schedules_load.hpp"
#include "schedules_records.hpp"
#include "schedules_strikes.hpp"

namespace cc::test {

class ScheduleOracle {
 public:
  /// `jumped`: when the site's clock was put forward, by the machine's.
  ScheduleOracle(const Stack& stack, std::vector<ScheduleLoad::Made> made,
                 const std::vector<ScheduleStrike>& strikes, Instant jumped);

  void judge();
  /// What it judges by, for those who want to know whether it sees a lie. A copy that has not
  /// judged yet may be told one.
  Journals& journals() noexcept { return journals_; }
  KeptRecords& kept() noexcept { return kept_; }
  /// That the API says what PostgreSQL has.
  void judge_api();

  struct Complaint {
    std::string what;  // of which kind
    std::string told;  // what there is
    std::string call;  // ours; empty = of none
  };
  const std::vector<Complaint>& complaints() const noexcept { return complaints_; }
  /// The call's timeline by the API, and all that the journals tell of it.
  std::string timeline(const std::string& call) const;
  std::string figures() const;

 private:
  struct Dialled {  // an attempt and what came of it
    const KeptAttempt* attempt = nullptr;
    std::vector<const Dial*> dials;
  };

  void find_belated();
  void judge_requests();
  void judge_violations();
  void judge_attempts(const ScheduleLoad::Made& made, const KeptRecord& record);
  void judge_rings(const KeptRecord& record, const std::vector<const Dial*>& dials);
  void judge_end(const KeptRecord& record, const Dialled& dialled);
  void judge_jiuyun_end(const KeptRecord& record, const Dial& dial);
  void judge_gateway_end(const KeptRecord& record, const Dial& dial);
  void judge_undialled_end(const KeptRecord& record, const Dialled& dialled);
  void judge_claims();
  void judge_handsets();
  void must_be(const KeptRecord& record, const std::set<std::string>& types,
               const std::string& since);
  void complain(std::string what, std::string told, std::string call = {});

  const Stack& stack_;
  std::vector<ScheduleLoad::Made> made_;
  const std::vector<ScheduleStrike>& strikes_;
  const Instant jumped_;  // when the clock was put forward
  Journals journals_;
  const PollingOracle gateway_;
  KeptRecords kept_;
  std::set<long> stored_;                      // the gateway's numbers of the events that CC has
  std::map<std::string, std::string> called_;  // call → customer
  std::vector<Complaint> complaints_;

  long strict_ = 0, excused_ = 0, failed_over_ = 0, our_clock_ = 0, belated_ = 0;
  std::map<std::string, long> forms_, statuses_, ends_, attempts_, handset_overlaps_;
};

}  // namespace cc::test
