-- +goose Up
-- Text, bigint and boolean only; times are unix milliseconds, hashes and MACs hex. The same text runs on SQLite and on PostgreSQL.
-- A moment is a commit's number: it orders everything, and as-of reads compare with it.

CREATE TABLE counter (name text PRIMARY KEY, n bigint NOT NULL, at bigint NOT NULL);
INSERT INTO counter (name, n, at) VALUES ('moment', 0, 0), ('lane', 0, 0);

CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);

-- One row a commit: what was done, a digest of what it stored, chained to the row before.
CREATE TABLE audit (
  moment bigint PRIMARY KEY, at bigint NOT NULL, actor text NOT NULL, action text NOT NULL,
  subject text NOT NULL, detail text NOT NULL, digest text NOT NULL, mac text NOT NULL);
CREATE INDEX audit_at ON audit (at, moment);
-- The end of the chain, sealed apart: a log cut short does not fit it.
CREATE TABLE tip (name text PRIMARY KEY, moment bigint NOT NULL, entries bigint NOT NULL, mac text NOT NULL, seal text NOT NULL);
INSERT INTO tip (name, moment, entries, mac, seal) VALUES ('audit', 0, 0, '', '');

CREATE TABLE lease (name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL, until bigint NOT NULL);
CREATE TABLE cursor (name text PRIMARY KEY, value text NOT NULL);

-- How far each source has been read: now, and at every moment before.
CREATE TABLE source (
  name text PRIMARY KEY, party text NOT NULL, last_complete bigint NOT NULL, last_tried bigint NOT NULL,
  complete boolean NOT NULL, why text NOT NULL, withheld bigint NOT NULL, moment bigint NOT NULL);
CREATE TABLE source_log (
  name text NOT NULL, moment bigint NOT NULL, party text NOT NULL, last_complete bigint NOT NULL, last_tried bigint NOT NULL,
  complete boolean NOT NULL, why text NOT NULL, PRIMARY KEY (name, moment));

-- Every version of every record. subject is the id of the source's Patient, '' for the directory.
CREATE TABLE version (
  source text NOT NULL, type text NOT NULL, id text NOT NULL, n bigint NOT NULL,
  party text NOT NULL, subject text NOT NULL, moment bigint NOT NULL, received bigint NOT NULL,
  gone boolean NOT NULL, why text NOT NULL, version_id text NOT NULL, last_updated text NOT NULL,
  hash text NOT NULL, mac text NOT NULL, body text NOT NULL,
  PRIMARY KEY (source, type, id, n));
CREATE INDEX version_subject ON version (source, subject, moment);

-- Which directory entries a client's records, or other directory entries, refer to.
CREATE TABLE mention (
  source text NOT NULL, origin_type text NOT NULL, origin_id text NOT NULL, type text NOT NULL, id text NOT NULL,
  moment bigint NOT NULL, PRIMARY KEY (source, origin_type, origin_id, type, id));
CREATE INDEX mention_target ON mention (source, type, id);

-- Which client a source's Patient is. ended 0 = still; read_back 0 = not read to the beginning yet.
CREATE TABLE link (
  source text NOT NULL, patient text NOT NULL, client text NOT NULL, moment bigint NOT NULL,
  party text NOT NULL, how text NOT NULL, since bigint NOT NULL, ended bigint NOT NULL, read_back bigint NOT NULL, mac text NOT NULL,
  PRIMARY KEY (source, patient, client, moment));
CREATE INDEX link_client ON link (client, source);
CREATE INDEX link_unread ON link (source, patient) WHERE read_back = 0 AND ended = 0;
-- Keyed digests of business identifiers: all that is kept of a prescriber's patients who are nobody's client here.
CREATE TABLE digest (source text NOT NULL, patient text NOT NULL, digest text NOT NULL, PRIMARY KEY (source, patient, digest));
CREATE INDEX digest_digest ON digest (digest);

CREATE TABLE reject (
  id text PRIMARY KEY, source text NOT NULL, type text NOT NULL, ref text NOT NULL, subject text NOT NULL,
  reason text NOT NULL, hash text NOT NULL, received bigint NOT NULL, moment bigint NOT NULL,
  resolved text NOT NULL, resolved_moment bigint NOT NULL, mac text NOT NULL, body text NOT NULL);
CREATE INDEX reject_source ON reject (source, resolved_moment);
CREATE INDEX reject_subject ON reject (source, subject);

-- due 0 = judge again at once; else the verdict's Until.
CREATE TABLE engagement (
  client text NOT NULL, prescriber text NOT NULL, moment bigint NOT NULL, moved bigint NOT NULL, due bigint NOT NULL,
  chart bigint NOT NULL, judged bigint NOT NULL, until bigint NOT NULL, policy text NOT NULL, state text NOT NULL,
  starved boolean NOT NULL, verdict bigint NOT NULL, hash text NOT NULL,
  PRIMARY KEY (client, prescriber));
CREATE INDEX engagement_due ON engagement (due);
CREATE INDEX engagement_policy ON engagement (prescriber, policy);
CREATE INDEX engagement_state ON engagement (state, starved);
CREATE TABLE moved (client text NOT NULL, moment bigint NOT NULL, PRIMARY KEY (client, moment));

-- A verdict is kept when it says something new; every judgement is, and points at its words.
CREATE TABLE verdict (
  client text NOT NULL, prescriber text NOT NULL, moment bigint NOT NULL, mac text NOT NULL, body text NOT NULL,
  PRIMARY KEY (client, prescriber, moment));
CREATE TABLE judgement (
  client text NOT NULL, prescriber text NOT NULL, moment bigint NOT NULL, verdict bigint NOT NULL,
  chart bigint NOT NULL, judged bigint NOT NULL, until bigint NOT NULL, policy text NOT NULL,
  PRIMARY KEY (client, prescriber, moment));
CREATE TABLE finding (
  id text NOT NULL, moment bigint NOT NULL, client text NOT NULL, prescriber text NOT NULL, code text NOT NULL,
  severity text NOT NULL, state text NOT NULL, since bigint NOT NULL, PRIMARY KEY (id, moment));

-- The ledger, and every step each delivery took.
CREATE TABLE delivery (
  id text PRIMARY KEY, client text NOT NULL, prescriber text NOT NULL, party text NOT NULL, what text NOT NULL,
  occasion text NOT NULL, copy_system text NOT NULL, copy_value text NOT NULL, type text NOT NULL, body text NOT NULL,
  replaces boolean NOT NULL, rests text NOT NULL, permit text NOT NULL, lane text NOT NULL, place bigint NOT NULL, mac text NOT NULL,
  state text NOT NULL, staged bigint NOT NULL, due bigint NOT NULL, attempts bigint NOT NULL, trying boolean NOT NULL,
  last bigint NOT NULL, why text NOT NULL, receipt text NOT NULL, moment bigint NOT NULL);
CREATE INDEX delivery_due ON delivery (party, state, due);
CREATE INDEX delivery_lane ON delivery (lane, place);
CREATE INDEX delivery_engagement ON delivery (client, prescriber, place);
CREATE TABLE step (
  id text NOT NULL, moment bigint NOT NULL, at bigint NOT NULL, state text NOT NULL, attempts bigint NOT NULL,
  why text NOT NULL, receipt text NOT NULL, mac text NOT NULL, PRIMARY KEY (id, moment));

CREATE TABLE setting (
  name text NOT NULL, moment bigint NOT NULL, actor text NOT NULL, value text NOT NULL, mac text NOT NULL, PRIMARY KEY (name, moment));

-- +goose Down
DROP TABLE setting; DROP TABLE step; DROP TABLE delivery; DROP TABLE finding; DROP TABLE judgement; DROP TABLE verdict;
DROP TABLE moved; DROP TABLE engagement; DROP TABLE reject; DROP TABLE digest; DROP TABLE link; DROP TABLE mention;
DROP TABLE version; DROP TABLE source_log; DROP TABLE source; DROP TABLE cursor; DROP TABLE lease; DROP TABLE tip;
DROP TABLE audit; DROP TABLE meta; DROP TABLE counter;
