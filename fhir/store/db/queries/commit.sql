-- name: NextMoment :one
UPDATE counter SET n = n + 1, at = CASE WHEN at > CAST(@now AS bigint) THEN at ELSE CAST(@now AS bigint) END
WHERE name = 'moment' RETURNING n, at;
-- name: ReturnMoment :exec
UPDATE counter SET n = n - 1 WHERE name = 'moment';
-- name: NextPlace :one
UPDATE counter SET n = n + 1 WHERE name = 'lane' RETURNING n;
-- name: Moment :one
SELECT n FROM counter WHERE name = 'moment';
-- name: MomentAt :one
SELECT moment FROM audit WHERE at <= @at ORDER BY at DESC, moment DESC LIMIT 1;
-- name: Entry :one
SELECT * FROM audit WHERE moment = @moment;
-- name: CloseInstant :exec
UPDATE counter SET at = at + 1 WHERE name = 'moment';

-- name: Tip :one
SELECT moment, entries, mac, seal FROM tip WHERE name = 'audit';
-- name: MoveTip :exec
UPDATE tip SET moment = @moment, entries = @entries, mac = @mac, seal = @seal WHERE name = 'audit';
-- name: AppendAudit :exec
INSERT INTO audit (moment, at, actor, action, subject, detail, digest, mac)
VALUES (@moment, @at, @actor, @action, @subject, @detail, @digest, @mac);
-- name: AuditAfter :many
SELECT * FROM audit WHERE moment > @after ORDER BY moment LIMIT @lim;

-- name: Meta :one
SELECT value FROM meta WHERE name = @name;
-- name: PutMeta :exec
INSERT INTO meta (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;
-- name: DropMeta :exec
DELETE FROM meta WHERE name = @name;

-- name: SettingAt :one
SELECT value FROM setting WHERE name = @name AND moment <= @moment ORDER BY moment DESC LIMIT 1;
-- name: SettingHistory :many
SELECT s.moment, s.actor, s.value, a.at FROM setting s JOIN audit a ON a.moment = s.moment
WHERE s.name = @name AND s.moment < @before ORDER BY s.moment DESC LIMIT @lim;
-- name: SettingSince :one
SELECT CAST(coalesce(min(moment), 0) AS bigint) FROM setting WHERE name = @name;
-- name: PutSetting :exec
INSERT INTO setting (name, moment, actor, value, mac) VALUES (@name, @moment, @actor, @value, @mac);
-- name: FirstMeta :exec
INSERT INTO meta (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING;
