#include "query/call_select.hpp"

#include <algorithm>

#include "record.hpp"
#include "store/columns.hpp"

namespace cc {
namespace {

// The last moment that an id can hold: in 2089.
constexpr std::int64_t last_id_ms = id_epoch_ms + (std::int64_t{1} << 41) - 1;

/// A text in the making; add() gives a parameter's place in it.
class Draft {
 public:
  std::string add(pg::Param param) {
    select_.params.push_back(std::move(param));
    return "$" + std::to_string(select_.params.size());
  }
  Draft& operator<<(std::string_view text) {
    select_.sql += text;
    return *this;
  }
  Select take() && { return std::move(select_); }

 private:
  Select select_;
};

std::int64_t whole(std::size_t number) {
  return static_cast<std::int64_t>(number);
}

/// `=` alone would be judged by how many values there are: where two tenants are, one with nearly
/// all calls, a generic plan takes each for half of them and would rather read all calls in id
/// order than use the tenant's index. Said twice, it is taken for few.
void add_equal(Draft& draft, const char* column, const OptText& value) {
  const std::string place = draft.add(value);
  draft << " AND " << column << " = " << place << " AND " << column << " BETWEEN " << place
        << " AND " << place;
}

void add_lead(Draft& draft, const CallFilter& filter, Lead lead) {
  const auto equals = [&](const char* column, const OptText& value) {
    add_equal(draft, column, value);
  };
  if (!filter.tenant.empty()) equals("tenant", filter.tenant);
  switch (lead) {
    case Lead::called:
      equals("called", filter.called);
      break;
    case Lead::caller:
      equals("caller", filter.caller);
      break;
    case Lead::biz_id:
      equals("biz_id", filter.biz_id);
      break;
    case Lead::biz_type:
      equals("biz_type", filter.biz_type);
      break;
    case Lead::user:
      equals("user_id", filter.user);
      break;
    case Lead::agent:
      equals("agent", filter.agent);
      break;
    case Lead::open:
      draft << " AND state <> 'close'";
      break;
    case Lead::ids:
    case Lead::tenant:
    case Lead::everyone:
      break;
  }
}

/// Ids are looked up one by one: a planner who sees their window too would rather read all that
/// lies in it.
void add_scan(Draft& draft, std::string_view columns, const CallFilter& filter, Lead lead,
              IdWindow window, std::size_t scan) {
  draft << "SELECT " << columns << " FROM ";
  if (lead == Lead::ids) {
    draft << "unnest(" << draft.add(pg::array(filter.ids))
          << "::bigint[]) AS w (wanted) CROSS JOIN LATERAL (SELECT * FROM call_record WHERE id = "
             "w.wanted OFFSET 0) c";
  } else {
    draft << "call_record";
  }
  draft << " WHERE id >= " << draft.add(window.from) << " AND id < " << draft.add(window.below)
        << " AND merged_into IS NULL";
  add_lead(draft, filter, lead);
  if (lead == Lead::ids) return;
  draft << " ORDER BY id DESC LIMIT " << draft.add(whole(scan)) << "::bigint";
}

/// All of them each time, so that there is one text; null = not asked for.
void add_checks(Draft& draft, const CallFilter& filter) {
  const char* between = "";
  const auto check = [&](const char* column, const OptText& value) {
    const std::string place = draft.add(value);
    draft << between << "(" << place << "::varchar IS NULL OR " << column << " = " << place << ")";
    between = " AND ";
  };
  const bool open = filter.state == "open";
  check("agent", filter.agent);
  check("user_id", filter.user);
  check("state", open ? OptText{} : filter.state);
  check("channel", filter.channel);
  check("close_type", filter.close_type);
  check("business", filter.business);
  check("biz_type", filter.biz_type);
  check("biz_id", filter.biz_id);
  check("caller", filter.caller);
  check("called", filter.called);
  draft << " AND (NOT " << draft.add(open) << "::boolean OR state <> 'close')";
}

}  // namespace

std::int64_t id_bound(std::int64_t epoch_ms) noexcept {
  if (epoch_ms > last_id_ms) return INT64_MAX;
  return make_call_id(std::max(epoch_ms, id_epoch_ms), 0);
}

Lead lead_of(const CallFilter& filter) noexcept {
  if (!filter.ids.empty()) return Lead::ids;
  if (filter.tenant.empty()) return Lead::everyone;
  if (filter.called) return Lead::called;
  if (filter.biz_id) return Lead::biz_id;
  if (filter.caller) return Lead::caller;
  if (filter.user) return Lead::user;
  if (filter.agent) return Lead::agent;
  if (filter.state && *filter.state != "close") return Lead::open;
  if (filter.biz_type) return Lead::biz_type;
  return Lead::tenant;
}

bool checks_rows(const CallFilter& filter, Lead lead) noexcept {
  if (lead == Lead::ids) return false;  // reads all that it may find at once
  const auto other = [&](Lead own, const OptText& value) { return value && lead != own; };
  const bool state = filter.state && !(lead == Lead::open && *filter.state == "open");
  return state || filter.channel || filter.close_type || filter.business ||
         other(Lead::called, filter.called) || other(Lead::caller, filter.caller) ||
         other(Lead::biz_id, filter.biz_id) || other(Lead::biz_type, filter.biz_type) ||
         other(Lead::user, filter.user) || other(Lead::agent, filter.agent);
}

Select select_calls(const CallFilter& filter, Lead lead, IdWindow window, std::size_t scan,
                    std::size_t limit) {
  Draft draft;
  draft << "SELECT " << record_columns() << " FROM (";
  add_scan(draft, record_columns(), filter, lead, window, scan);
  draft << ") r WHERE ";
  add_checks(draft, filter);
  draft << " ORDER BY id DESC LIMIT " << draft.add(whole(limit)) << "::bigint";
  return std::move(draft).take();
}

// One statement, so that what was found and how far it was read are of one moment: otherwise a row
// that was merged away in between would shift the reach, and the next page would leave rows out.
Select select_checked(const CallFilter& filter, Lead lead, IdWindow window, std::size_t scan,
                      std::size_t limit) {
  Draft draft;
  draft << "SELECT * FROM (SELECT *, (";
  add_checks(draft, filter);
  draft << ") IS TRUE AS passes FROM (SELECT *, row_number() OVER (ORDER BY id DESC) AS nth FROM (";
  add_scan(draft, record_columns(), filter, lead, window, scan);
  draft << ") s) n) r WHERE passes OR nth = " << draft.add(whole(scan))
        << "::bigint ORDER BY id DESC LIMIT " << draft.add(whole(limit)) << "::bigint";
  return std::move(draft).take();
}

}  // namespace cc
