# From the rounds of scripts/bench.d/latency to its report, and from the report to what is printed.

include "table";

def measures: ["visible", "whole", "answered", "late", "commit"];

# Medians over the rounds, and the longest of all.
def summary_of($rounds; $what): $rounds | map(.[$what]) | {
  samples: (map(.n) | add),
  p50_ms: (map(.p50_us) | median / 1000),
  p99_ms: (map(.p99_us) | median / 1000),
  max_ms: (map(.max_us) | max / 1000)
};
# The part of all samples that is above a limit.
def part_over($rounds; $limit): ($rounds | map(.visible[$limit]) | add) / ($rounds | map(.visible.n) | add);

# ---- report: the input is the rounds, the rest comes in variables ------------------------------------------
def report: . as $rounds | {
  bench: "latency", date: (now | todate), machine: $machine[0],
  asked: {$rate, $seconds, $by, $sample_each},
  rate: (map((.events - 1) / .seconds) | median),
  unseen: (map(.unseen) | add),
  looks_a_sample: ((map(.looks) | add) / (map(.visible.n) | add)),
  times: (reduce measures[] as $what ({}; .[$what] = summary_of($rounds; $what))),
  visible_over: {ms_20: part_over($rounds; "over_20_ms"), ms_100: part_over($rounds; "over_100_ms")},
  visible_vs_commit: {
    p50: (map(.visible.p50_us / .commit.p50_us) | median),
    p99: (map(.visible.p99_us / .commit.p99_us) | median)
  },
  cores: (reduce (.[0].cores | keys_unsorted[]) as $part ({}; .[$part] = ($rounds | map(.cores[$part]) | median))),
  rounds: $rounds
};

# ---- what is printed: the input is the report ------------------------------------------------------------
def words: {
  visible: "visible   NGINX's 200 → the API shows it",
  whole: "whole     due → the API shows it",
  answered: "answered  due → NGINX's 200",
  late: "late      due → sent",
  commit: "commit    one row, PostgreSQL alone"
};
def row: (.[0] | left(42)) + (.[1:] | map(right(10)) | add);

def table: "",
  (["", "samples", "p50 ms", "p99 ms", "max ms"] | row),
  (.times | to_entries[] | [words[.key], "\(.value.samples)", (.value.p50_ms | fixed(2)), (.value.p99_ms | fixed(2)),
    (.value.max_ms | fixed(2))] | row),
  "(medians of the rounds; max: of all. \(.looks_a_sample | fixed(2)) GETs a sample, \(.unseen) never seen)",
  "visible later than 20 ms: \(.visible_over.ms_20 * 100 | fixed(2)) %, than 100 ms: \(.visible_over.ms_100 * 100 | fixed(2)) %",
  "cores used: \(.cores | to_entries | map("\(.key) \(.value | fixed(2))") | join(", "))",
  "";

def last_line: "latency: rate=\(.rate | fixed(0)) p50_ms=\(.times.visible.p50_ms | fixed(2)) p99_ms=\(.times.visible.p99_ms | fixed(2))";
