-- How each day's calls ended, by whose word: what accounting and disputes ask for. Written anew each day
-- until nothing of that day can change any more; kept when the calls themselves have gone.
CREATE TABLE reconciliation (
  day       date        NOT NULL,  -- of the calls' creation, in UTC+8, the channels' time
  tenant    varchar(32) NOT NULL,
  channel   varchar(8)  NOT NULL,  -- '' = none was chosen
  calls     int NOT NULL,
  final     int NOT NULL,  -- the channel has said how it ended
  refused   int NOT NULL,  -- refused by the channel, or never sent: there is nothing more to be said
  open      int NOT NULL,  -- not over yet
  asking    int NOT NULL,  -- closed by our own clock; the channel is being asked
  given_up  int NOT NULL,  -- closed by our own clock; the channel was asked and will not say
  unnamed   int NOT NULL,  -- closed by our own clock; without the channel's call id it can't be asked
  unasked   int NOT NULL,  -- closed by our own clock; too old to be asked
  looked    bigint NOT NULL,
  PRIMARY KEY (day, tenant, channel)
);

-- What the fleet does once a day, by whoever comes first.
CREATE TABLE daily_work (
  name varchar(32) PRIMARY KEY,
  day  date   NOT NULL,  -- the last one whose work is done
  done bigint NOT NULL   -- when it was, or when somebody began the next: ten minutes are his
);
