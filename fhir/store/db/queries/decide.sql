-- name: StaleByTime :many
SELECT client, prescriber FROM engagement WHERE due <= @now ORDER BY due, client, prescriber LIMIT @lim;
-- name: StaleByPolicy :many
SELECT e.client, e.prescriber FROM engagement e
WHERE e.prescriber = $1 AND e.policy < $2 AND e.due > $3
UNION ALL
SELECT f.client, f.prescriber FROM engagement f
WHERE f.prescriber = $1 AND f.policy > $2 AND f.due > $3
LIMIT $4;
-- name: Engagement :one
SELECT * FROM engagement WHERE client = @client AND prescriber = @prescriber;
-- name: Board :many
SELECT e.client, e.prescriber, j.chart, j.judged, j.until, j.policy, v.body,
  CAST(coalesce((SELECT n.stirred FROM judgement n WHERE n.client = e.client AND n.prescriber = e.prescriber AND n.moment > @moment
    ORDER BY n.moment LIMIT 1), e.stirred) AS bigint) AS stirred
FROM engagement e
LEFT JOIN judgement j ON j.client = e.client AND j.prescriber = e.prescriber AND j.moment = (
  SELECT max(k.moment) FROM judgement k WHERE k.client = e.client AND k.prescriber = e.prescriber AND k.moment <= @moment)
LEFT JOIN verdict v ON v.client = j.client AND v.prescriber = j.prescriber AND v.moment = j.verdict
WHERE e.moment <= @moment
ORDER BY e.client, e.prescriber;
-- name: BoardOf :many
SELECT e.client, e.prescriber, j.chart, j.judged, j.until, j.policy, v.body,
  CAST(coalesce((SELECT n.stirred FROM judgement n WHERE n.client = e.client AND n.prescriber = e.prescriber AND n.moment > @moment
    ORDER BY n.moment LIMIT 1), e.stirred) AS bigint) AS stirred
FROM engagement e
LEFT JOIN judgement j ON j.client = e.client AND j.prescriber = e.prescriber AND j.moment = (
  SELECT max(k.moment) FROM judgement k WHERE k.client = e.client AND k.prescriber = e.prescriber AND k.moment <= @moment)
LEFT JOIN verdict v ON v.client = j.client AND v.prescriber = j.prescriber AND v.moment = j.verdict
WHERE e.client = @client AND e.moment <= @moment
ORDER BY e.prescriber;
-- name: BoardSince :many
SELECT e.client, e.prescriber, CAST(coalesce(j.moment, 0) AS bigint) AS decided, CAST(coalesce(j.chart, 0) AS bigint) AS chart, CAST(coalesce(j.judged, 0) AS bigint) AS judged,
  CAST(coalesce(j.until, 0) AS bigint) AS until, CAST(coalesce(j.policy, '') AS text) AS policy, CAST(coalesce(v.body, '') AS text) AS body,
  CAST(coalesce((SELECT n.stirred FROM judgement n WHERE n.client = e.client AND n.prescriber = e.prescriber AND n.moment > @upto
    ORDER BY n.moment LIMIT 1), e.stirred) AS bigint) AS stirred
FROM (SELECT DISTINCT touched.client, touched.prescriber FROM (
  SELECT a.client, a.prescriber FROM engagement a WHERE a.moment > @after
  UNION ALL SELECT b.client, b.prescriber FROM engagement b WHERE b.moved > @after
  UNION ALL SELECT c.client, c.prescriber FROM judgement c WHERE c.moment > @after) touched) befell
JOIN engagement e ON e.client = befell.client AND e.prescriber = befell.prescriber
LEFT JOIN judgement j ON j.client = e.client AND j.prescriber = e.prescriber AND j.moment = (
  SELECT max(k.moment) FROM judgement k WHERE k.client = e.client AND k.prescriber = e.prescriber AND k.moment <= @upto)
LEFT JOIN verdict v ON v.client = j.client AND v.prescriber = j.prescriber AND v.moment = j.verdict AND v.moment > @after
WHERE e.moment <= @upto;
-- name: Judge :exec
UPDATE engagement SET due = @due, chart = @chart, judged = @judged, until = @until, policy = @policy, state = @state,
  starved = @starved, verdict = @verdict, hash = @hash, session = @session, stirred = 0
WHERE client = @client AND prescriber = @prescriber;
-- name: Verdict :one
SELECT body FROM verdict WHERE client = @client AND prescriber = @prescriber AND moment = @moment;
-- name: PutVerdict :exec
INSERT INTO verdict (client, prescriber, moment, mac, body) VALUES (@client, @prescriber, @moment, @mac, @body);
-- name: PutJudgement :exec
INSERT INTO judgement (client, prescriber, moment, verdict, chart, judged, until, policy, stirred, mac)
VALUES (@client, @prescriber, @moment, @verdict, @chart, @judged, @until, @policy, @stirred, @mac);
-- name: PutFinding :exec
INSERT INTO finding (id, moment, client, prescriber, code, severity, state, since)
VALUES (@id, @moment, @client, @prescriber, @code, @severity, @state, @since);
-- name: VerdictsBetween :many
SELECT j.prescriber, j.judged, v.body FROM verdict v
JOIN judgement j ON j.client = v.client AND j.prescriber = v.prescriber AND j.moment = v.moment
WHERE v.client = @client AND v.moment > @after AND v.moment <= @upto ORDER BY v.moment;
-- name: HasBegan :one
SELECT count(*) FROM began WHERE client = @client AND prescriber = @prescriber AND source = @source AND type = @type AND id = @id AND starts = @starts;
-- name: PutBegan :exec
INSERT INTO began (client, prescriber, source, type, id, starts, state, moment, mac)
VALUES (@client, @prescriber, @source, @type, @id, @starts, @state, @moment, @mac);
-- name: MovedSince :many
SELECT a.client FROM engagement a WHERE a.moment > @after
UNION ALL SELECT b.client FROM engagement b WHERE b.moved > @after;
