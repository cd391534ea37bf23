# From the runs of scripts/bench.d/query to its report, and from the report to what is printed.

include "table";

def rps: .requests / .seconds;
def per_core: .requests / (.asker_ns + .database_ns) * 1e9;
def asker_us: .asker_ns / 1000 / .requests;
def database_us: .database_ns / 1000 / .requests;

# ---- report: the input is the runs, the rest comes in variables --------------------------------------------
def runs_of($set; $what): map(select(.set == $set and .what == $what));

# Both from the same round, so that what else the machine did cancels out.
def ratio($set; $what; $other_set; $other; f): group_by(.round)
  | map((runs_of($set; $what)[0] | f) / (runs_of($other_set; $other)[0] | f)) | median;

def summary_of($set; $what): runs_of($set; $what) | {
  rps: map(rps) | median,
  per_core: map(per_core) | median,
  asker_us: map(asker_us) | median,
  database_us: map(database_us) | median
} + if $what == "get" then {p50_ms: (map(.p50_us) | median / 1000), p99_ms: (map(.p99_us) | median / 1000)} else {} end;

def report: . as $runs | {
  bench: "query", date: (now | todate), machine: $machine[0], $seconds, $connections, $pool,
  shared_buffers_mb: $buffers_mb, $records, read_mb: $megabytes,
  results: {
    get_vs_pgbench: ratio("small"; "get"; "small"; "select"; per_core),
    get_large_vs_small: ratio("large"; "get"; "small"; "get"; per_core),
    get_vs_pgbench_large: ratio("large"; "get"; "large"; "select"; per_core),
    get_vs_generic: ratio("small"; "get"; "small"; "generic"; per_core),
    get_vs_generic_large: ratio("large"; "get"; "large"; "generic"; per_core),
    select_large_vs_small: ratio("large"; "select"; "small"; "select"; per_core),
    rps_get_vs_pgbench: ratio("small"; "get"; "small"; "select"; rps),
    rps_get_large_vs_small: ratio("large"; "get"; "small"; "get"; rps)
  },
  peers: [("small", "large") as $set | ("get", "select", "generic") as $what | {$set, $what} + ($runs | summary_of($set; $what))],
  runs: $runs
};

# ---- what is printed: the input is the report ------------------------------------------------------------
# 10000000 → "10m", 100000 → "100k".
def short: if . % 1000000 == 0 then "\(. / 1000000)m" elif . % 1000 == 0 then "\(. / 1000)k" else tostring end;
def row: (.[0] | left(14)) + (.[1:] | map(right(14)) | add);
def shown($digits): if . == null then "-" else fixed($digits) end;

def table: . as $report | .results as $results | "",
  (["", "req/s", "req/s a core", "asker µs", "database µs", "p50 ms", "p99 ms"] | row),
  (.peers[] | ["\($report.records[.set] | short) \(.what)", (.rps | fixed(0)), (.per_core | fixed(0)), (.asker_us | fixed(1)),
    (.database_us | fixed(1)), (.p50_ms | shown(2)), (.p99_ms | shown(2))] | row),
  "(µs: CPU time a request, of ccd or pgbench and of PostgreSQL)",
  "",
  "get / select, by the core: \($results.get_vs_pgbench | fixed(2)) with \(.records.small | short), \($results.get_vs_pgbench_large | fixed(2)) with \(.records.large | short); by the clock: \($results.rps_get_vs_pgbench | fixed(2))",
  "get / generic, by the core: \($results.get_vs_generic | fixed(2)) with \(.records.small | short), \($results.get_vs_generic_large | fixed(2)) with \(.records.large | short)",
  "\(.records.large | short) / \(.records.small | short), by the core: get \($results.get_large_vs_small | fixed(2)), select \($results.select_large_vs_small | fixed(2)); get by the clock: \($results.rps_get_large_vs_small | fixed(2))",
  "";

def last_line: .results as $results | "query: get_vs_pgbench=\($results.get_vs_pgbench | fixed(2)) get_\(.records.large | short)_vs_\(.records.small | short)=\($results.get_large_vs_small | fixed(2))";
