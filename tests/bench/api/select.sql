-- The peer of a GET: the whole record of one of the calls, from a table of their ids that is in memory.
\set n random(1, :calls)
SELECT r.* FROM bench_id b JOIN call_record r ON r.id = b.id WHERE b.n = :n;
