-- +goose Up
-- What people enter by hand, one row for each entry and source; the sources of the desk are read from here.
CREATE TABLE tray (
  source text NOT NULL, moment bigint NOT NULL, entry text NOT NULL, client text NOT NULL, kind text NOT NULL,
  actor text NOT NULL, at bigint NOT NULL, read_to bigint NOT NULL, mac text NOT NULL, body text NOT NULL,
  PRIMARY KEY (source, moment));
CREATE INDEX tray_client ON tray (client, source, moment);
CREATE UNIQUE INDEX tray_entry ON tray (entry, source);
-- Which record stands in which entries, so that one can be read as it stands now.
CREATE TABLE tray_record (
  source text NOT NULL, type text NOT NULL, id text NOT NULL, moment bigint NOT NULL, PRIMARY KEY (source, type, id, moment));

-- +goose Down
DROP TABLE tray_record; DROP TABLE tray;
