-- +goose Up
-- When each member was last swept, and what sweeps found that the pulls had missed, by day (its first millisecond, UTC).
CREATE TABLE swept (source text NOT NULL, patient text NOT NULL, at bigint NOT NULL, PRIMARY KEY (source, patient));
CREATE TABLE missed (source text NOT NULL, day bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (day, source));
-- The next dosing session of an engagement, as its last verdict saw it; 0 = none.
ALTER TABLE engagement ADD COLUMN session bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE engagement DROP COLUMN session;
DROP TABLE missed;
DROP TABLE swept;
