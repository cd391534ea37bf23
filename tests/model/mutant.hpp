// Mistakes that can be put into the model on purpose: each must be found, or the checks are worth
// nothing.
#pragma once

namespace model {

enum class Mutant {
  none,
  fails_over_on_unknown,        // a timeout counts as "never dialled"
  fails_over_on_any_code,       // so does every refusal
  late_refusal_fails_over,      // nobody asks whether the attempt is still ours
  hung_up_fails_over,           // nobody asks whether the call is still wanted
  leaves_named_channel,         // another attempt forgets what the request named
  shows_hidden_number,          // the choice forgets what must be hidden
  no_handset_claim,             // only the line is taken
  no_hold,                      // a close by our own clock frees the phone at once
  old_refusal_ends_hold,        // so does one after an earlier attempt was refused
  late_life_forgotten,          // a late sign of life does not take the phone back
  late_life_not_asked_about,    // and its channel is not asked, though it was given up before
  dead_owner_sends_again,       // `sending` of a dead daemon is planned anew
  begins_without_compare,       // planned or not, it is sent
  no_deadline,                  // a process that was stopped dials whenever it wakes
  reaps_by_the_clock,           // silence is measured while the stream stands
  abandoned_not_hung_up,        // a superseded attempt that lives is left ringing
  claims_stay_after_refusal,    // the last refusal frees nothing
  trial_taken_without_compare,  // trials go below 0
  trials_not_given_out_again,   // trial calls that nobody judged are gone for good
};

inline constexpr Mutant first_mutant = Mutant::fails_over_on_unknown;
inline constexpr Mutant last_mutant = Mutant::trials_not_given_out_again;

}  // namespace model
