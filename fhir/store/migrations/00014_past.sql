-- +goose Up
-- What an answer about a past moment rests on besides records and verdicts.
-- When a delivery was to be tried next, as each of its steps left it.
ALTER TABLE step ADD COLUMN due bigint NOT NULL DEFAULT 0;
-- The moment at which an engagement moved first since it was judged; 0 = it did not. The judgement that follows takes it
-- along: so each says up to when the one before it stood.
ALTER TABLE engagement ADD COLUMN stirred bigint NOT NULL DEFAULT 0;
UPDATE engagement SET stirred = moved WHERE due = 0;
ALTER TABLE judgement ADD COLUMN stirred bigint NOT NULL DEFAULT 0;
ALTER TABLE judgement ADD COLUMN mac text NOT NULL DEFAULT '';
ALTER TABLE source_log ADD COLUMN mac text NOT NULL DEFAULT '';
DROP TABLE moved;
-- What each sweep found that the pulls had missed.
CREATE TABLE overlooked (source text NOT NULL, moment bigint NOT NULL, at bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (at, moment, source));
INSERT INTO overlooked (source, moment, at, n) SELECT m.source, -m.day, m.day, m.n FROM missed m;
DROP TABLE missed;
-- What is open now, and what came to its end after a past moment.
CREATE INDEX delivery_open ON delivery (place) WHERE state <> 'delivered' AND state <> 'withdrawn';
CREATE INDEX delivery_moment ON delivery (moment);
CREATE INDEX reject_resolved ON reject (resolved_moment);

-- +goose Down
DROP INDEX reject_resolved; DROP INDEX delivery_moment; DROP INDEX delivery_open;
CREATE TABLE missed (source text NOT NULL, day bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (day, source));
DROP TABLE overlooked;
CREATE TABLE moved (client text NOT NULL, moment bigint NOT NULL, PRIMARY KEY (client, moment));
ALTER TABLE source_log DROP COLUMN mac;
ALTER TABLE judgement DROP COLUMN mac;
ALTER TABLE judgement DROP COLUMN stirred;
ALTER TABLE engagement DROP COLUMN stirred;
ALTER TABLE step DROP COLUMN due;
