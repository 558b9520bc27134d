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
-- name: Engagements :many
SELECT * FROM engagement WHERE moment <= @moment ORDER BY client, prescriber;
-- name: JudgementAt :one
SELECT j.chart, j.judged, j.until, j.policy, v.body FROM judgement j
JOIN verdict v ON v.client = j.client AND v.prescriber = j.prescriber AND v.moment = j.verdict
WHERE j.client = @client AND j.prescriber = @prescriber AND j.moment <= @moment ORDER BY j.moment DESC LIMIT 1;
-- name: Board :many
SELECT e.client, e.prescriber, e.moved, e.chart, e.judged, e.until, e.policy, e.due, v.body
FROM engagement e LEFT JOIN verdict v ON v.client = e.client AND v.prescriber = e.prescriber AND v.moment = e.verdict
ORDER BY e.client, e.prescriber;
-- name: LastMoved :one
SELECT CAST(coalesce(max(moment), 0) AS bigint) FROM moved WHERE client = @client AND moment <= @moment;
-- name: Judge :exec
UPDATE engagement SET due = @due, chart = @chart, judged = @judged, until = @until, policy = @policy, state = @state,
  starved = @starved, verdict = @verdict, hash = @hash, session = @session
WHERE client = @client AND prescriber = @prescriber;
-- name: Verdict :one
SELECT body FROM verdict WHERE client = @client AND prescriber = @prescriber AND moment = @moment;
-- name: PutVerdict :exec
INSERT INTO verdict (client, prescriber, moment, mac, body) VALUES (@client, @prescriber, @moment, @mac, @body);
-- name: PutJudgement :exec
INSERT INTO judgement (client, prescriber, moment, verdict, chart, judged, until, policy)
VALUES (@client, @prescriber, @moment, @verdict, @chart, @judged, @until, @policy);
-- name: PutFinding :exec
INSERT INTO finding (id, moment, client, prescriber, code, severity, state, since)
VALUES (@id, @moment, @client, @prescriber, @code, @severity, @state, @since);
