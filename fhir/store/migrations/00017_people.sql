-- +goose Up
-- Who may come in: every version of every account; the newest counts. secrets is encrypted, and '' in all but the newest;
-- digest is of secrets as they were written.
CREATE TABLE account (
  id text NOT NULL, moment bigint NOT NULL, at bigint NOT NULL, actor text NOT NULL, facts text NOT NULL, digest text NOT NULL, mac text NOT NULL,
  secrets text NOT NULL, PRIMARY KEY (id, moment));
CREATE INDEX account_moment ON account (moment);
CREATE INDEX account_newest ON account (id) WHERE secrets <> '';
-- The last time step of which a code was accepted, and when that was: so that none is accepted twice, by replicas either.
CREATE TABLE account_use (id text PRIMARY KEY, step bigint NOT NULL, seen bigint NOT NULL);
-- Tries to sign in that did not succeed, by a keyed digest of what was typed as the login, whether there is one or not.
CREATE TABLE sign_in (login text PRIMARY KEY, failed bigint NOT NULL, last bigint NOT NULL);
CREATE INDEX sign_in_last ON sign_in (last);
-- Looks at clients that are not one's own, taken in need.
CREATE TABLE glass (
  id text PRIMARY KEY, moment bigint NOT NULL, account text NOT NULL, client text NOT NULL, reason text NOT NULL, actor text NOT NULL,
  begins bigint NOT NULL, ends bigint NOT NULL, mac text NOT NULL);
CREATE INDEX glass_account ON glass (account, ends);
CREATE INDEX glass_ends ON glass (ends);
-- The console's sessions: token is a hash of it, data is encrypted. They end with a restore.
CREATE TABLE web_session (token text PRIMARY KEY, account text NOT NULL, began bigint NOT NULL, expiry bigint NOT NULL, data text NOT NULL);
CREATE INDEX web_session_expiry ON web_session (expiry);
CREATE INDEX web_session_account ON web_session (account);
-- Who looked at this client.
CREATE INDEX audit_subject ON audit (subject, moment);

-- +goose Down
DROP INDEX audit_subject; DROP TABLE web_session; DROP TABLE glass; DROP TABLE sign_in; DROP TABLE account_use; DROP TABLE account;
