-- +goose Up
-- What people did about findings: acknowledge, snooze, assign, release. It is never altered: what is said later counts.
CREATE TABLE handling (
  finding text NOT NULL, moment bigint NOT NULL, client text NOT NULL, prescriber text NOT NULL, kind text NOT NULL, person text NOT NULL,
  reason text NOT NULL, until bigint NOT NULL, severity text NOT NULL, actor text NOT NULL, at bigint NOT NULL, mac text NOT NULL,
  PRIMARY KEY (finding, moment));
CREATE INDEX handling_moment ON handling (moment, finding);
CREATE INDEX handling_client ON handling (client, moment);

-- +goose Down
DROP TABLE handling;
