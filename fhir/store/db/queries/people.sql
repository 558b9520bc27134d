-- name: AccountsNow :many
SELECT a.id, a.moment, a.facts, a.secrets, CAST(COALESCE(u.seen, 0) AS bigint) AS seen
FROM account a LEFT JOIN account_use u ON u.id = a.id
WHERE a.secrets <> '' ORDER BY a.id;
-- name: AccountNow :one
SELECT a.id, a.moment, a.facts, a.secrets, CAST(COALESCE(u.seen, 0) AS bigint) AS seen
FROM account a LEFT JOIN account_use u ON u.id = a.id
WHERE a.id = @id ORDER BY a.moment DESC LIMIT 1;
-- name: AccountsMoved :one
SELECT CAST(COALESCE(max(moment), 0) AS bigint) FROM account;
-- name: ForgetSecrets :exec
UPDATE account SET secrets = '' WHERE id = @id AND secrets <> '';
-- name: PutAccount :exec
INSERT INTO account (id, moment, at, actor, facts, digest, mac, secrets) VALUES (@id, @moment, @at, @actor, @facts, @digest, @mac, @secrets);
-- name: AllAccounts :many
SELECT * FROM account ORDER BY id, moment;
-- name: UseStep :execrows
INSERT INTO account_use (id, step, seen) VALUES (@id, @step, @seen)
ON CONFLICT (id) DO UPDATE SET step = excluded.step, seen = excluded.seen WHERE account_use.step < excluded.step;
-- name: SeeAccount :exec
INSERT INTO account_use (id, step, seen) VALUES (@id, 0, @seen) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen;

-- name: Tries :one
SELECT failed, last FROM sign_in WHERE login = @login;
-- name: CountTry :execrows
INSERT INTO sign_in (login, failed, last) VALUES (@login, CAST(@was AS bigint) + 1, @now)
ON CONFLICT (login) DO UPDATE SET failed = excluded.failed, last = excluded.last WHERE sign_in.failed = CAST(@was AS bigint) OR sign_in.last < @stale;
-- name: ReturnTry :exec
UPDATE sign_in SET last = CASE WHEN failed = CAST(@counted AS bigint) THEN CAST(@before AS bigint) ELSE last END, failed = failed - 1
WHERE login = @login AND failed > 0;
-- name: ForgetTries :exec
DELETE FROM sign_in WHERE login = @login OR last < @stale;

-- name: PutGlass :exec
INSERT INTO glass (id, moment, account, client, reason, actor, begins, ends, mac) VALUES (@id, @moment, @account, @client, @reason, @actor, @begins, @ends, @mac);
-- name: GlassesSince :many
SELECT * FROM glass WHERE ends > @since ORDER BY ends DESC, id;
-- name: GlassOf :many
SELECT * FROM glass WHERE account = @account AND ends > @since ORDER BY ends DESC, id;
-- name: AllGlasses :many
SELECT * FROM glass ORDER BY moment, id;

-- name: AuditOf :many
SELECT * FROM audit WHERE subject = @subject AND moment < @before ORDER BY moment DESC LIMIT @lim;
-- name: LooksAt :many
SELECT a.* FROM audit a WHERE a.subject IN (SELECT CAST(@client AS text) UNION SELECT d.id FROM delivery d WHERE d.client = @client
  UNION SELECT h.finding FROM handling h WHERE h.client = @client UNION SELECT s.id FROM sealed s WHERE s.client = @client)
  AND a.moment < @before AND a.actor <> 'hub' ORDER BY a.moment DESC LIMIT @lim;
-- What showed everybody, day by day, from the client's first verdict on.
-- name: LooksAtAll :many
SELECT a.actor, a.action, CAST(min(a.at) AS bigint) AS began, CAST(max(a.at) AS bigint) AS ended, CAST(count(*) AS bigint) AS times FROM audit a
WHERE a.subject = '' AND a.at >= @since AND a.moment >= (SELECT CAST(COALESCE(min(v.moment), 9223372036854775807) AS bigint) FROM verdict v WHERE v.client = @client)
  AND (a.action IN ('view board', 'print board', 'view report', 'view findings') OR a.action LIKE 'export report%') AND a.actor <> 'hub'
GROUP BY a.actor, a.action, (a.at + @shift) / 86400000 ORDER BY ended DESC, a.actor, a.action LIMIT @lim;

-- A session that was ended stays as a row without data until it would have been over: a request that was under way then
-- does not bring it back.
-- name: FindSession :one
SELECT data FROM web_session WHERE token = @token AND expiry > @now AND data <> '';
-- name: PutSession :exec
INSERT INTO web_session (token, account, began, expiry, data) VALUES (@token, '', @began, @expiry, @data)
ON CONFLICT (token) DO UPDATE SET expiry = excluded.expiry, data = excluded.data WHERE web_session.data <> '';
-- name: OwnSession :execrows
UPDATE web_session SET account = @account WHERE token = @token AND data <> '';
-- name: DropSession :exec
UPDATE web_session SET data = '' WHERE token = @token;
-- name: DropSessions :exec
UPDATE web_session SET data = '' WHERE account = @account;
-- name: DropEverySession :exec
DELETE FROM web_session;
-- name: DropOldSessions :exec
DELETE FROM web_session WHERE expiry <= @now;
-- name: SessionsNow :many
SELECT * FROM web_session WHERE expiry > @now AND data <> '' ORDER BY expiry, token;
-- name: SessionsOf :many
SELECT * FROM web_session WHERE account = @account AND expiry > @now AND data <> '' ORDER BY began, token;
