-- name: PutTray :exec
INSERT INTO tray (source, moment, entry, client, kind, actor, at, read_to, mac, body)
VALUES (@source, @moment, @entry, @client, @kind, @actor, @at, @read_to, @mac, @body);
-- name: PutTrayRecord :exec
INSERT INTO tray_record (source, type, id, moment) VALUES (@source, @type, @id, @moment);
-- name: CountEntry :one
SELECT count(*) FROM tray WHERE entry = @entry;
-- name: TrayAfter :many
SELECT * FROM tray WHERE source = @source AND moment > @after ORDER BY moment LIMIT @lim;
-- name: TrayWith :one
SELECT t.* FROM tray_record r JOIN tray t ON t.source = r.source AND t.moment = r.moment
WHERE r.source = @source AND r.type = @type AND r.id = @id AND r.moment < @before ORDER BY r.moment DESC LIMIT 1;
-- name: TrayAbout :many
SELECT * FROM tray WHERE client = @client AND source = @source ORDER BY moment;
-- name: TrayOf :many
SELECT * FROM tray WHERE entry = @entry ORDER BY source;
-- name: TraysFrom :many
SELECT * FROM tray WHERE source > @source OR source = @source AND moment > @moment ORDER BY source, moment LIMIT @lim;
-- name: TrayDecisions :many
SELECT * FROM tray d WHERE d.kind = @decision AND
(SELECT count(*) FROM tray a WHERE a.client = d.client AND a.source = d.source AND a.kind = d.kind) >
(SELECT count(*) FROM tray c WHERE c.client = d.client AND c.source = d.source AND c.kind = @confirm) ORDER BY d.moment;
-- name: TrayLast :many
SELECT * FROM tray WHERE source = @source AND kind = @kind ORDER BY moment DESC LIMIT @lim;
