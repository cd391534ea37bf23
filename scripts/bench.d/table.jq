# Numbers and tables, for all benches' reports.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# fixed(2) of 1.5 is "1.50".
def fixed($digits):
  pow(10; $digits) as $unit | (. * $unit | round) as $n
  | if $digits == 0 then "\($n)" else "\($n / $unit | floor).\("00000\($n % $unit)"[-$digits:])" end;
def left($width): . + " " * ($width - length);
def right($width): " " * ($width - length) + .;
