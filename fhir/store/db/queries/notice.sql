-- name: PutNotice :exec
INSERT INTO notice (id, moment, at, kind, person, address, day, state, ended, attempts, due, told, about, why, mac)
VALUES (@id, @moment, @at, @kind, @person, @address, @day, @state, @ended, @attempts, @due, @told, @about, @why, @mac);
-- name: NoticedLast :one
SELECT CAST(coalesce(max(moment), 0) AS bigint) FROM notice WHERE person = @person;
-- name: NoticesAsTheyStand :many
SELECT n.* FROM notice n WHERE n.moment = (SELECT max(x.moment) FROM notice x WHERE x.id = n.id)
  AND (NOT n.ended OR n.at > @after)
ORDER BY n.moment, n.id;
-- name: AllNotices :many
SELECT * FROM notice ORDER BY id, moment;
