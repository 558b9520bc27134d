-- name: PutSealed :exec
INSERT INTO sealed (id, source, party, type, ref, subject, client, reason, bears, hash, received, moment, outcome, actor, why, ended, mac, body)
VALUES (@id, @source, @party, @type, @ref, @subject, @client, @reason, @bears, @hash, @received, @moment, '', '', '', 0, @mac, @body);
-- name: SealedBefore :many
SELECT outcome FROM sealed WHERE source = @source AND type = @type AND ref = @ref AND hash = @hash;
-- name: SealedAt :many
SELECT s.* FROM link l JOIN sealed s ON s.source = l.source AND s.subject = l.patient
WHERE l.client = @client AND l.how <> 'candidate' AND l.moment <= @moment AND (l.ended = 0 OR l.ended > @moment)
  AND s.moment <= @moment AND (s.ended = 0 OR s.ended > @moment)
ORDER BY s.moment, s.id;
-- name: SealedAll :many
SELECT * FROM sealed WHERE outcome = '' OR CAST(@everything AS boolean) ORDER BY moment, id;
-- name: SealedOne :one
SELECT * FROM sealed WHERE id = @id;
-- name: EndSealed :execrows
UPDATE sealed SET outcome = @outcome, actor = @actor, why = @why, ended = @moment, body = @body WHERE id = @id AND outcome = '';
