-- Closed calls number :low to :high, as e9's end up: one each :every_ms ms from :start_ms on, with all the
-- columns that one usually has. Their ids: :base + n * :step + n % 4194304.
INSERT INTO call_record (
  id, tenant, main_num, ext_num, agent, call_id, caller, called, biz_data, channel, ch_state, state,
  a_call_time, b_call_time, a_offhook_time, b_offhook_time, conn_time, close_time, duration,
  ch_audio_url, audio_url, close_type, updated, created, direction, initiator, business, biz_type, biz_id,
  user_id, progress, close_detail, closed_by, close_source, display_requested, max_duration,
  recording_state, version)
SELECT :base + n * :step + n % 4194304, 'demo', '4008001234', (100 + n % 900)::text, agent, md5(n::text), agent,
  '138' || lpad((n * 7919 % 100000000)::text, 8, '0'),
  '{"order":"' || n || '","source":"crm","campaign":"' || n % 97 || '"}', 'e9', 'Hangup', 'close',
  t + 400, t + 6000, t + 5800, t + 15000, t + 15200, t + 15200 + 1000 * (n % 600), n % 600,
  'http://records.example/e9/' || md5(n::text) || '.mp3', 'https://oss.example/cc/demo/' || md5(n::text) || '.mp3',
  '0', t + 30000 + 1000 * (n % 600), t, 'out', 'agent', 'sales', 'order', 'o-' || n, 'u-' || n % 5000, 'closed',
  'normal', 'b', 'callback', '01053189990', 3600, 'stored', 8
FROM (SELECT n, :start_ms + n * :every_ms AS t, '139' || lpad((n % 5000)::text, 8, '0') AS agent
      FROM generate_series(:low::bigint, :high::bigint) AS n) AS c;
