# What the demo prints of calls whose channel failed, and compares of them with both of Jiuyun's simulators.
include "demo";

# GET /v1/channels/{channel} → one line.
def channel_line($c):
  {closed: "whole · 正常", open: "open: no calls go there · 熔断", half_open: "half-open: it is tried again · 试呼",
   degraded: "degraded · 降级"}[.state] as $words |
  "channel \(.channel): " + (if .state == "closed" then $c.green elif .state == "open" then $c.red else $c.yellow end)
  + ($words // .state) + $c.plain + (if .why then "  \($c.dim)\(.why)\($c.plain)" else "" end);

def is_trial: .reason | contains("(a trial call)");
# Why the last attempt was made where it was.
def why: (.attempts | last.reason | split("; ")) as $parts | if (.attempts | length) > 1 then $parts | last else $parts | first end;

# {phase, callId, attempts} → "e9 ✗ → e9b ✓  why".
def attempts_line($c):
  (.attempts | map(.channel + " " + if .state == "accepted" then $c.green + "✓" + $c.plain else $c.red + "✗" + $c.plain end)
   | join(" → ")) as $way
  | ([range(14 - (.attempts | map("\(.channel) x") | join(" → ") | length)) | " "] | join("")) as $gap
  | $way + $gap + $c.dim + why + $c.plain;

# How many of these calls a simulator placed.
def placed($calls): [.[] | select(.event == "originate" and (.userData | split(".") | .[1] | IN($calls[].callId)))] | length;
def tried($channel): map(.attempts[] | select(.channel == $channel));

# The calls against the journals of e9's and e9b's simulator, and e9's state in the end: an array of rows.
def compare_failing($first; $second; $state):
  . as $calls |
  (map(select(.phase == "out")) | tried("e9")) as $lost |
  [ row("failed at e9"; "\($lost | map(select(.state == "refused")) | length) attempts";
        "placed \($first | placed($calls | map(select(.phase == "out" or .phase == "left"))))";
        ($lost | length) == 5 and ($lost | all(.state == "refused" and .superseded))
          and ($first | placed($calls | map(select(.phase == "out" or .phase == "left")))) == 0),
    same("e9 while out"; $calls | map(select(.phase == "left")) | tried("e9") | length; 0),
    same("placed by e9b"; $calls | tried("e9b") | map(select(.state == "accepted")) | length; $second | placed($calls)),
    same("placed by e9"; $calls | tried("e9") | map(select(.state == "accepted")) | length; $first | placed($calls)),
    same("trial calls"; $calls | map(.attempts[] | select(is_trial)) | length; $first | placed($calls | map(select(.phase == "back")))),
    row("e9 in the end"; $state; "takes connections"; $state == "closed" and ($calls | last | .attempts | length == 1 and .[0].channel == "e9")) ];
