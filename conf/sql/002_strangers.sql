-- Events of calls that nobody has told of: candidates among our attempts are looked for by channel and
-- time, and an inbound number by its tenant.
CREATE INDEX call_attempt_nameless ON call_attempt (channel, sent)
  WHERE channel_call_id IS NULL AND state IN ('sending', 'unknown', 'accepted');
