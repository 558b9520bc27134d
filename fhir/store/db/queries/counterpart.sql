-- name: TakeTurns :one
INSERT INTO counterpart (name, next, rests) VALUES (@name, CAST(@now AS bigint) + CAST(@cost AS bigint), 0)
ON CONFLICT (name) DO UPDATE SET next = CASE WHEN counterpart.next > CAST(@now AS bigint) THEN counterpart.next ELSE CAST(@now AS bigint) END + CAST(@cost AS bigint)
RETURNING next, rests;
-- name: RestUntil :exec
INSERT INTO counterpart (name, next, rests) VALUES (@name, 0, @rests) ON CONFLICT (name) DO UPDATE SET rests = excluded.rests;
-- name: LastSent :one
SELECT CAST(COALESCE(MAX(last), 0) AS bigint) FROM delivery WHERE party = @party AND last >= @since;
-- name: RestsUntil :one
SELECT rests FROM counterpart WHERE name = @name;
