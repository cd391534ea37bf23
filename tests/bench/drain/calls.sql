-- :calls calls that an application has made and the channel has taken. Prints the first one's id; the others
-- follow it by one each. The channel's ids are the round and the number.
SELECT ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1577836800000) << 22 AS first \gset
INSERT INTO call_record (id, tenant, direction, initiator, caller, called, max_duration, created, updated,
                         channel, agent, progress, version)
SELECT :first + n, 'demo', 'out', 'agent', '139' || lpad(n::text, 8, '0'), '138' || lpad(n::text, 8, '0'),
       3600, now_ms, now_ms, 'e9', '139' || lpad(n::text, 8, '0'), 'sent', 2
FROM generate_series(0, :calls - 1) AS n, (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms) AS c;
INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, caller, called, channel_call_id, state,
                          created, sent, answered)
SELECT r.id, 1, 'demo', 'e9', r.agent, r.agent, r.caller, r.called,
       lpad(:round::text || 'c' || (r.id - :first)::text, 32, '0'), 'accepted', r.created, r.created, r.created
FROM call_record r WHERE r.id BETWEEN :first AND :first + :calls - 1;
INSERT INTO call_event (call, event_key, attempt, source, name, received, facts)
SELECT r.id, decode(md5(r.id::text || k.name), 'hex') || '\x0000'::bytea, 1, 'cc', k.name, r.created,
       jsonb_build_object('channel', 'e9', 'agent', r.agent)
FROM call_record r, (VALUES ('attempt.planned'), ('attempt.sent'), ('attempt.accepted')) AS k (name)
WHERE r.id BETWEEN :first AND :first + :calls - 1;
ANALYZE call_record, call_attempt, call_event;
SELECT :first;
