-- +goose Up
-- How an engagement's verdict stood when a dosing session of its began: written once, by the first judgement after that.
CREATE TABLE began (
  client text NOT NULL, prescriber text NOT NULL, source text NOT NULL, type text NOT NULL, id text NOT NULL, starts bigint NOT NULL,
  state text NOT NULL, moment bigint NOT NULL, mac text NOT NULL, PRIMARY KEY (client, prescriber, source, type, id, starts));

-- +goose Down
DROP TABLE began;
