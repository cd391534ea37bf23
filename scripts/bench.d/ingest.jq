# From the runs of scripts/bench.d/ingest to its report, and from the report to what is printed.

include "table";

# ---- the figures of one run --------------------------------------------------------------------------
def rps: .requests / .seconds;
def nginx_us: .nginx_ns / 1000 / .requests;
def path_us: .path_ns / 1000 / .requests;

# ---- report: the input is nothing, everything comes in variables -----------------------------------------
def runs_of($peer): $runs | map(select(.peer == $peer));
# Both from the same round, so that what else the machine did cancels out.
def ratios($runs; $peer; $other; f): $runs | group_by(.round) | map(INDEX(.peer) | (.[$peer] | f) / (.[$other] | f)) | median;
def ratio($peer; $other; f): ratios($runs; $peer; $other; f);

def summary_of($peer): runs_of($peer) | {
  rps: map(rps) | median,
  rps_vs_return200: ratio($peer; "return200"; rps),
  nginx_us: map(nginx_us) | median,
  path_us: map(path_us) | median,
  p50_ms: (map(.p50_us) | median / 1000),
  p99_ms: (map(.p99_us) | median / 1000)
};

def results: {
  cpu_vs_return200: ratio("cc"; "return200"; nginx_us),
  rps_vs_return200: ratio("cc"; "return200"; rps),
  rps_vs_filelog: ratio("cc"; "filelog"; rps),
  rps_vs_lua: ratio("cc"; "lua"; rps),
  rps_vs_node: ratio("cc"; "node"; rps),
  path_cpu_vs_lua: ratio("cc"; "lua"; path_us),
  syscalls: ($counts | map(select(.peer == "cc") | .syscalls / .requests) | median),
  always_rps_vs_return200: ratio("cc_always"; "return200"; rps),
  p99_ms: summary_of("cc").p99_ms
};

# Nothing where they could not be counted.
def counted(f): if all($counts[]; f) then ratios($counts; "cc"; "return200"; f / .requests) else null end;

def report: {
  bench: "ingest", $date, $rounds, $seconds, $connections, $place, machine: $machine[0], $versions,
  others_cpus: ($runs | map(.others_ns / 1e9 / .seconds) | median),
  results: results,
  peers: ($order | map({key: ., value: summary_of(.)}) | from_entries),
  counted: {by: $counts[0].counter, cycles_vs_return200: counted(.cycles), instructions_vs_return200: counted(.instructions)},
  outage: $outage[0],
  count_runs: $counts,
  runs: $runs
};

# ---- what is printed: the input is the report ------------------------------------------------------------
def row: (.[0] | left(11)) + (.[1:] | map(right(12)) | add);

def peers_table:
  (["peer", "req/s", "×return200", "nginx µs", "path µs", "p50 ms", "p99 ms"] | row),
  (.peers | to_entries[] | .key as $peer | .value | [$peer, (.rps | fixed(0)), (.rps_vs_return200 | fixed(2)),
    (.nginx_us | fixed(1)), (.path_us | fixed(1)), (.p50_ms | fixed(2)), (.p99_ms | fixed(2))] | row),
  "(µs: CPU time a request, of NGINX's worker and of the whole path: worker, Redis, Node)";

# design.md, "How fast".
def targets: [
  {what: "NGINX CPU a request / return200", figure: "cpu_vs_return200", most: true, must: 1.6, aim: 1.35},
  {what: "requests/s / return200", figure: "rps_vs_return200", must: 0.5, aim: 0.65},
  {what: "requests/s / lua", figure: "rps_vs_lua", must: 1.5, aim: 1.9},
  {what: "requests/s / node", figure: "rps_vs_node", must: 4, aim: 5.5},
  {what: "requests/s with always / return200", figure: "always_rps_vs_return200", must: 0.28, aim: 0.4},
  {what: "worker's system calls a request", figure: "syscalls", most: true, must: 2.3, aim: 2.1}
];
def meets($bound): if .most then .measured <= $bound else .measured >= $bound end;
def verdict: if meets(.aim) then "aim reached" elif meets(.must) then "must reached" else "MISSED" end;
def target_row: (.[0] | left(36)) + (.[1:4] | map(right(10)) | add) + "  " + .[4];

def targets_table:
  .results as $results
  | (["", "measured", "must", "aim", ""] | target_row),
    (targets[] | .measured = ($results[.figure] * 100 | round / 100) # judged as printed
     | (if .most then "≤ " else "≥ " end) as $sign
     | [.what, (.measured | fixed(2)), $sign + (.must | fixed(2)), $sign + (.aim | fixed(2)), verdict] | target_row),
    "(system calls counted by \(.counted.by))";

def counted_line: .counted | if .cycles_vs_return200
  then "counted: cycles_vs_return200=\(.cycles_vs_return200 | fixed(2)) instructions_vs_return200=\(.instructions_vs_return200 | fixed(2))"
  else empty end;

def outage_line:
  .outage | if . == null then "outage: not measured, this module has no spool"
  else "outage: p99_ms=\(.p99_us / 1000 | fixed(1)) longest_ms=\(.max_us / 1000 | fixed(1)) answered=\(.requests - .not_200) failed=\(.not_200 + .broken + .timeouts)"
  end;

def table: "", peers_table, "", targets_table, "", counted_line, outage_line;

def last_line: "ingest: " + (.results | to_entries | map("\(.key)=\(.value | fixed(2))") | join(" "));
