-- name: SweepDue :many
SELECT l.patient,
  CAST(COALESCE((SELECT MIN(e.session) FROM engagement e WHERE e.client = l.client AND e.session >= CAST(@now AS bigint) AND e.session < CAST(@soon AS bigint)), 0) AS bigint) AS session,
  CAST(COALESCE(s.at, 0) AS bigint) AS at
FROM link l LEFT JOIN swept s ON s.source = l.source AND s.patient = l.patient
WHERE l.source = @source AND l.ended = 0 AND l.how <> 'candidate' AND COALESCE(s.at, 0) < CAST(@tonight AS bigint)
  AND (COALESCE(s.at, 0) < CAST(@week AS bigint)
    OR EXISTS (SELECT 1 FROM engagement e WHERE e.client = l.client AND e.session >= CAST(@now AS bigint) AND e.session < CAST(@soon AS bigint)))
ORDER BY CASE WHEN EXISTS (SELECT 1 FROM engagement e WHERE e.client = l.client AND e.session >= CAST(@now AS bigint) AND e.session < CAST(@soon AS bigint)) THEN 0 ELSE 1 END,
  2, 3, 1
LIMIT @lim;
-- name: PutSwept :exec
INSERT INTO swept (source, patient, at) SELECT @source, k.key, @at FROM json_each(@patients) AS k WHERE true
ON CONFLICT (source, patient) DO UPDATE SET at = excluded.at;
-- name: AddOverlooked :exec
INSERT INTO overlooked (source, moment, at, n) VALUES (@source, @moment, @at, @n);
-- name: OverlookedSince :many
SELECT source, CAST(SUM(n) AS bigint) AS n FROM overlooked WHERE at > @since AND moment <= @moment GROUP BY source;
