# From the rounds of scripts/bench.d/poll to its report, and from the report to what is printed.

include "table";

# Medians over the rounds of each figure; of what must be 0 the sum, of the longest the longest.
def summary_of($rounds; $who):
  $rounds | map(.[$who]) as $all
  | reduce ($all[0] | keys_unsorted[]) as $name ({};
      ($all | map(.[$name])) as $values
      | .[$name] = if $name | IN("events_lost", "failed_polls", "signed_out") then $values | add
          elif $name | IN("max_ms", "peak_mb") then $values | max
          else $values | median end);

# ---- report: the input is the rounds, the rest comes in variables ------------------------------------------
def report: . as $rounds | {
  bench: "poll", date: (now | todate), machine: $machine[0], asked: {$sizes, $seconds, $share},
  rows: [$rounds | group_by([.agents, .tls])[] | . as $mine | .[0] as $first | {
    agents: $first.agents, tls: $first.tls, rounds: length,
    ccd: summary_of($mine; "ccd"), plain: summary_of($mine; "plain"),
    cpu_vs_plain: (map(.ccd.cpu_cores / .plain.cpu_cores) | median),
    violations: ($violations[] | select(.agents == $first.agents and .tls == $first.tls) | .violations)
  }],
  rounds: $rounds
};

# ---- what is printed: the input is the report, or a round ------------------------------------------------
def round_line:
  "ccd \(.ccd.cpu_cores | fixed(3)) cores, \(.ccd.rss_mb | fixed(0)) MB, p99 \(.ccd.p99_ms) ms; plain \(.plain.cpu_cores | fixed(3)) cores; \(.ccd.cpu_cores / .plain.cpu_cores | fixed(2)) ×";

def row: (.[0] | left(34)) + (.[1:] | map(right(11)) | add);
def line($name; f): [$name, (.rows[] | f)] | row;

def table: "",
  line(""; "\(.agents)\(if .tls then " TLS" else "" end)"),
  line("ccd: CPU, cores"; .ccd.cpu_cores | fixed(3)),
  line("plain: CPU, cores"; .plain.cpu_cores | fixed(3)),
  line("ccd / plain"; .cpu_vs_plain | fixed(2)),
  line("ccd: memory, MB"; .ccd.rss_mb | fixed(0)),
  line("ccd: its peak, MB"; .ccd.peak_mb | fixed(0)),
  line("ready → stream, p50 ms"; .ccd.p50_ms | fixed(0)),
  line("ready → stream, p99 ms"; .ccd.p99_ms | fixed(0)),
  line("ready → handed to ccd, p50 ms"; .ccd.handed_out_p50_ms | fixed(1)),
  line("ready → handed to ccd, p99 ms"; .ccd.handed_out_p99_ms | fixed(0)),
  line("ready → handed to plain, p50 ms"; .plain.handed_out_p50_ms | fixed(1)),
  line("ready → handed to plain, p99 ms"; .plain.handed_out_p99_ms | fixed(0)),
  line("ccd: events/s into the stream"; .ccd.events_per_s | fixed(0)),
  line("ccd: polls/s"; .ccd.polls_per_s | fixed(0)),
  line("plain: polls/s"; .plain.polls_per_s | fixed(0)),
  line("ccd: CPU a poll, µs"; .ccd.cpu_cores / .ccd.polls_per_s * 1e6 | fixed(0)),
  line("plain: CPU a poll, µs"; .plain.cpu_cores / .plain.polls_per_s * 1e6 | fixed(0)),
  line("gateway's cores beside ccd"; .ccd.gateway_cores | fixed(2)),
  line("gateway's cores beside plain"; .plain.gateway_cores | fixed(2)),
  line("Redis' cores beside ccd"; .ccd.redis_cores | fixed(2)),
  line("PostgreSQL's cores beside ccd"; .ccd.postgres_cores | fixed(2)),
  line("signed out: ccd, plain"; "\(.ccd.signed_out), \(.plain.signed_out)"),
  line("failed polls: ccd, plain"; "\(.ccd.failed_polls), \(.plain.failed_polls)"),
  line("violations"; "\(.violations)"),
  "(medians of the rounds; peak: the most; signed out, failed: of all)",
  "";

def good: .ccd.cpu_cores <= 1 and .ccd.rss_mb <= 512 and .ccd.signed_out == 0;
def verdict:
  def reached($agents): [.rows[] | select(.agents >= $agents)] as $rows
    | if $rows | length == 0 then "not measured"
      elif all($rows[]; good) then "reached"
      elif any($rows[]; good) then "reached by some rows only"
      else "not reached" end;
  "at most 1 core, 512 MB and nobody signed out: must with 5000 agents: \(reached(5000)); aim 20000: \(reached(20000))";

def last_line:
  (if any(.rows[]; .tls | not) then [.rows[] | select(.tls | not)] else .rows end | max_by(.agents))
  | "poll: agents=\(.agents) cpu_cores=\(.ccd.cpu_cores | fixed(3)) rss_mb=\(.ccd.rss_mb | fixed(0)) p50_ms=\(.ccd.p50_ms | fixed(0)) p99_ms=\(.ccd.p99_ms | fixed(0)) cpu_vs_plain=\(.cpu_vs_plain | fixed(2))";
