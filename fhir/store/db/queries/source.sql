-- name: TakeLease :one
INSERT INTO lease (name, holder, fence, until) VALUES (@name, @holder, 1, @until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, until = excluded.until
WHERE lease.until <= CAST(@now AS bigint)
RETURNING fence;
-- name: DropLease :execrows
UPDATE lease SET until = 0 WHERE name = @name AND fence = @fence;
-- name: Fence :one
SELECT fence FROM lease WHERE name = @name;
-- name: Cursor :one
SELECT value FROM cursor WHERE name = @name;
-- name: FirstCursor :execrows
INSERT INTO cursor (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING;
-- name: MoveCursor :execrows
UPDATE cursor SET value = @value WHERE name = @name AND value = @since;

-- name: Source :one
SELECT * FROM source WHERE name = @name;
-- name: PutSource :exec
INSERT INTO source (name, party, last_complete, last_tried, complete, why, withheld, moment)
VALUES (@name, @party, @last_complete, @last_tried, @complete, @why, @withheld, @moment)
ON CONFLICT (name) DO UPDATE SET party = excluded.party, last_complete = excluded.last_complete,
  last_tried = excluded.last_tried, complete = excluded.complete, why = excluded.why, withheld = excluded.withheld,
  moment = excluded.moment;
-- name: LogSource :exec
INSERT INTO source_log (name, moment, party, last_complete, last_tried, complete, why, mac)
VALUES (@name, @moment, @party, @last_complete, @last_tried, @complete, @why, @mac);
-- name: SourcesAt :many
SELECT s.* FROM source n CROSS JOIN source_log s
WHERE s.name = n.name AND s.moment = (SELECT max(t.moment) FROM source_log t WHERE t.name = n.name AND t.moment <= @moment)
ORDER BY s.name;
