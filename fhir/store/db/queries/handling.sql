-- name: PutHandling :exec
INSERT INTO handling (finding, moment, client, prescriber, kind, person, reason, until, severity, actor, at, mac)
VALUES (@finding, @moment, @client, @prescriber, @kind, @person, @reason, @until, @severity, @actor, @at, @mac);
-- name: FindingNow :one
SELECT client, prescriber, state FROM finding WHERE id = @id ORDER BY moment DESC LIMIT 1;
-- name: HandlingsAt :many
SELECT * FROM handling WHERE moment <= @moment ORDER BY moment, finding;
-- name: HandlingsOf :many
SELECT * FROM handling WHERE client = @client AND moment <= @moment ORDER BY moment, finding;
