-- Dead letters are listed newest first, by channel too, and purged by age; so are changes.
CREATE INDEX dead_letter_channel ON dead_letter (channel, id);
CREATE INDEX dead_letter_age ON dead_letter (last_seen);
CREATE INDEX change_at ON change (at);
