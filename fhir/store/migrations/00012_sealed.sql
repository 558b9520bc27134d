-- +goose Up
-- What arrived out of scope, kept apart: its body is encrypted once more, under a key of its own, and '' once it was
-- expunged. outcome: '' while it waits, else admitted or expunged.
CREATE TABLE sealed (
  id text PRIMARY KEY, source text NOT NULL, party text NOT NULL, type text NOT NULL, ref text NOT NULL, subject text NOT NULL,
  client text NOT NULL, reason text NOT NULL, bears boolean NOT NULL, hash text NOT NULL, received bigint NOT NULL, moment bigint NOT NULL,
  outcome text NOT NULL, actor text NOT NULL, why text NOT NULL, ended bigint NOT NULL, mac text NOT NULL, body text NOT NULL);
CREATE INDEX sealed_client ON sealed (client, moment);
CREATE INDEX sealed_record ON sealed (source, type, ref, hash);

-- +goose Down
DROP TABLE sealed;
