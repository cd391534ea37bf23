-- What a look-up by id reads, into PostgreSQL's own memory. Prints the bytes of it.
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
SELECT sum(pg_prewarm(p.inhrelid::regclass) + pg_prewarm(i.indexrelid::regclass)) * current_setting('block_size')::bigint
FROM pg_inherits p JOIN pg_index i ON i.indrelid = p.inhrelid AND i.indisprimary
WHERE p.inhparent = 'call_record'::regclass;
