-- The peer: the whole record of one of the calls.
\set n random(0, :records - 1)
\set id :base + :n * :step + :n % 4194304
SELECT * FROM call_record WHERE id = :id;
