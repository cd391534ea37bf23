# From the runs of scripts/bench.d/api to its report, and from the report to what is printed.

include "table";

def rps: .requests / .seconds;
def per_core: .requests / (.asker_ns + .database_ns) * 1e9;
def asker_us: .asker_ns / 1000 / .requests;
def database_us: .database_ns / 1000 / .requests;

# ---- report: the input is the runs, the rest comes in variables --------------------------------------------
def runs_of($what): map(select(.what == $what));

# Both from the same round, so that what else the machine did cancels out.
def ratio($what; $other; f): group_by(.round) | map((runs_of($what)[0] | f) / (runs_of($other)[0] | f)) | median;

def summary_of($what): runs_of($what) | {
  rps: map(rps) | median,
  per_core: map(per_core) | median,
  asker_us: map(asker_us) | median,
  database_us: map(database_us) | median
} + if .[0].p99_us then {p50_ms: (map(.p50_us) | median / 1000), p99_ms: (map(.p99_us) | median / 1000)} else {} end;

def report: . as $runs | {
  bench: "api", date: (now | todate), machine: $machine[0], $seconds, $connections, $pool, $statements,
  results: {
    create_vs_pgbench: ratio("create"; "sql"; per_core),
    get_vs_pgbench: ratio("get"; "select"; per_core),
    whole_vs_pgbench: ratio("whole"; "select"; per_core),
    rps_create_vs_pgbench: ratio("create"; "sql"; rps),
    rps_get_vs_pgbench: ratio("get"; "select"; rps),
    p99_ms: ($runs | runs_of("create") | map(.p99_us) | median / 1000)
  },
  peers: [("create", "sql", "get", "whole", "select") as $what | {$what} + ($runs | summary_of($what))],
  runs: $runs
};

# ---- what is printed: the input is the report ------------------------------------------------------------
def row: (.[0] | left(14)) + (.[1:] | map(right(14)) | add);
def shown($digits): if . == null then "-" else fixed($digits) end;

def table: .results as $results | "",
  (["", "req/s", "req/s a core", "asker µs", "database µs", "p50 ms", "p99 ms"] | row),
  (.peers[] | [.what, (.rps | fixed(0)), (.per_core | fixed(0)), (.asker_us | fixed(1)),
    (.database_us | fixed(1)), (.p50_ms | shown(2)), (.p99_ms | shown(2))] | row),
  "(µs: CPU time a request, of ccd or pgbench and of PostgreSQL)",
  "",
  "by the clock: create / sql \($results.rps_create_vs_pgbench | fixed(2)), get / select \($results.rps_get_vs_pgbench | fixed(2)); with the audit trail, by the core: \($results.whole_vs_pgbench | fixed(2))",
  "";

def last_line: .results as $results | "api: create_vs_pgbench=\($results.create_vs_pgbench | fixed(2)) get_vs_pgbench=\($results.get_vs_pgbench | fixed(2)) p99_ms=\($results.p99_ms | fixed(1))";
