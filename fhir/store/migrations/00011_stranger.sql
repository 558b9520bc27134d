-- +goose Up
-- Patients whom a prescriber's records name and who are no client's here. seen = their own Patient record was read: until
-- then it is asked for, since it may turn out to be a client's whose record showed later than what hangs on it.
CREATE TABLE stranger (source text NOT NULL, patient text NOT NULL, since bigint NOT NULL, seen boolean NOT NULL, PRIMARY KEY (source, patient));
CREATE INDEX stranger_unseen ON stranger (source, since) WHERE NOT seen;

-- +goose Down
DROP TABLE stranger;
