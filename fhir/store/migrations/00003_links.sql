-- +goose Up
-- Keyed digests of what a Patient tells of who they are, besides identifiers: of the practice's clients, and of all that
-- is told of at a prescriber. A list is space-separated; a digest says whether two are the same, and nothing else.
CREATE TABLE trait (
  source text NOT NULL, patient text NOT NULL, birth text NOT NULL, family text NOT NULL, sound text NOT NULL,
  given text NOT NULL, phone text NOT NULL, mail text NOT NULL, PRIMARY KEY (source, patient));
CREATE INDEX trait_birth ON trait (birth);
-- How a candidate compares with the client: "family name=agrees; phone=differs"; '' for a link.
ALTER TABLE link ADD COLUMN evidence text NOT NULL DEFAULT '';
-- What a person said of a source's Patient and a client. agreed are the digests that agreed then, space-separated.
CREATE TABLE ruling (
  source text NOT NULL, patient text NOT NULL, client text NOT NULL, moment bigint NOT NULL, at bigint NOT NULL,
  said text NOT NULL, actor text NOT NULL, reason text NOT NULL, agreed text NOT NULL, mac text NOT NULL,
  PRIMARY KEY (source, patient, client, moment));

-- +goose Down
DROP TABLE ruling; ALTER TABLE link DROP COLUMN evidence; DROP TABLE trait;
