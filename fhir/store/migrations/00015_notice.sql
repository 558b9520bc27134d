-- +goose Up
-- Who is told what by mail, and every step each notice took: the newest row of an id is how it stands.
-- about: what of it is to be acted on now, by key, and as of when, as JSON.
CREATE TABLE notice (
  id text NOT NULL, moment bigint NOT NULL, at bigint NOT NULL, kind text NOT NULL, person text NOT NULL, address text NOT NULL,
  day text NOT NULL, state text NOT NULL, ended boolean NOT NULL, attempts bigint NOT NULL, due bigint NOT NULL, told bigint NOT NULL,
  about text NOT NULL, why text NOT NULL, mac text NOT NULL, PRIMARY KEY (id, moment));
CREATE INDEX notice_person ON notice (person, moment);

-- +goose Down
DROP TABLE notice;
