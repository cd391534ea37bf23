-- The rows that came of the calls, as multi-row INSERTs: what another program would have had to send.
SET standard_conforming_strings = on;
SELECT 'BEGIN;' || chr(10) || 'INSERT INTO peer_event VALUES ' || string_agg(format('(%L,%L,%L,%L,%L,%L,%L,%L,%L)', call,
       event_key, attempt, source, name, received, channel_time, facts, raw), ',') || ';' || chr(10) || 'COMMIT;'
FROM (SELECT *, (row_number() OVER (ORDER BY received, call, event_key) - 1) / 500 AS batch FROM call_event
      WHERE call BETWEEN :first AND :first + :calls - 1 AND source = 'callback') AS e GROUP BY batch ORDER BY batch;
SELECT 'INSERT INTO peer_record SELECT * FROM (VALUES ' || string_agg('(' || row_text || ')', ',') || ') AS v;'
FROM (SELECT (row_number() OVER (ORDER BY id) - 1) / 500 AS batch, (SELECT string_agg(coalesce(quote_literal(value), 'NULL')
      || '::' || format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum)
      FROM jsonb_each_text(to_jsonb(r)) AS j (key, value) JOIN pg_attribute a ON a.attname = j.key
      AND a.attrelid = 'call_record'::regclass) AS row_text
      FROM call_record r WHERE id BETWEEN :first AND :first + :calls - 1) AS s GROUP BY batch ORDER BY batch;
SELECT 'INSERT INTO peer_change (tenant, call, version, kind, at) VALUES ' || string_agg(format('(%L,%L,%L,%L,%L)', tenant,
       call, version, kind, at), ',') || ';'
FROM (SELECT *, (row_number() OVER (ORDER BY id) - 1) / 500 AS batch FROM change
      WHERE call BETWEEN :first AND :first + :calls - 1) AS c GROUP BY batch ORDER BY batch;
