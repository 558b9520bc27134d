-- name: LinksAt :many
SELECT * FROM link WHERE client = @client AND moment <= @moment AND (ended = 0 OR ended > @moment) ORDER BY source, patient, moment;
-- name: VersionsAt :many
SELECT v.* FROM link l JOIN version v ON v.source = l.source AND v.subject = l.patient
WHERE l.client = @client AND l.how <> 'candidate' AND l.moment <= @moment AND (l.ended = 0 OR l.ended > @moment)
  AND v.moment <= @moment
ORDER BY v.moment, v.source, v.type, v.id, v.n;
-- name: DirectoryAt :many
WITH RECURSIVE reach (source, type, id) AS (
  SELECT m.source, m.type, m.id FROM link l
  JOIN mention m ON m.source = l.source AND m.origin_type = 'Patient' AND m.origin_id = l.patient
  WHERE l.client = $1 AND l.how <> 'candidate' AND l.moment <= $2 AND (l.ended = 0 OR l.ended > $2) AND m.moment <= $2
  UNION
  SELECT m.source, m.type, m.id FROM reach r
  JOIN mention m ON m.source = r.source AND m.origin_type = r.type AND m.origin_id = r.id
  WHERE m.moment <= $2)
SELECT v.* FROM reach r CROSS JOIN version v
WHERE v.source = r.source AND v.type = r.type AND v.id = r.id AND v.subject = '' AND v.moment <= $2
ORDER BY v.moment, v.source, v.type, v.id, v.n;
-- name: RejectsAt :many
SELECT j.* FROM link l JOIN reject j ON j.source = l.source AND j.subject = l.patient
WHERE l.client = @client AND l.how <> 'candidate' AND l.moment <= @moment AND (l.ended = 0 OR l.ended > @moment)
  AND j.moment <= @moment AND (j.resolved_moment = 0 OR j.resolved_moment > @moment)
ORDER BY j.moment, j.id;

-- name: Members :many
SELECT patient FROM link WHERE source = @source AND ended = 0 AND how <> 'candidate' ORDER BY patient;
-- name: Unread :many
SELECT patient FROM link WHERE source = @source AND read_back = 0 AND ended = 0 AND how <> 'candidate' ORDER BY patient;
-- name: Unseen :many
SELECT patient FROM stranger WHERE source = @source AND NOT seen AND since >= @since ORDER BY since DESC, patient LIMIT 50;
-- name: WantedAtPractice :many
SELECT DISTINCT l.client FROM link l
WHERE l.party = 'practice' AND l.ended = 0 AND l.how <> 'candidate'
  AND NOT EXISTS (SELECT 1 FROM link k WHERE k.client = l.client AND k.source = @source AND k.ended = 0 AND k.how <> 'candidate')
ORDER BY l.client;
-- name: WantedAtPrescriber :many
SELECT DISTINCT d.client FROM delivery d
WHERE d.party = @party AND d.attempts > 0
  AND NOT EXISTS (SELECT 1 FROM link k WHERE k.client = d.client AND k.source = @source AND k.ended = 0 AND k.how <> 'candidate')
ORDER BY d.client;
-- name: PatientsOf :many
SELECT v.body, v.version_id, v.last_updated, v.hash, v.id FROM link l
JOIN version v ON v.source = l.source AND v.type = 'Patient' AND v.id = l.patient
WHERE l.client = @client AND l.party = 'practice' AND l.ended = 0 AND l.how <> 'candidate' AND NOT v.gone
  AND v.n = (SELECT max(w.n) FROM version w WHERE w.source = v.source AND w.type = v.type AND w.id = v.id);
-- name: PracticePatients :many
SELECT l.client, v.id, v.body FROM link l
JOIN version v ON v.source = l.source AND v.type = 'Patient' AND v.id = l.patient
WHERE l.party = 'practice' AND l.ended = 0 AND l.how <> 'candidate' AND NOT v.gone
  AND v.n = (SELECT max(w.n) FROM version w WHERE w.source = v.source AND w.type = v.type AND w.id = v.id)
ORDER BY l.client, l.source, l.patient;
-- name: BeganAt :many
SELECT * FROM began WHERE client = @client AND moment <= @moment ORDER BY starts, prescriber, source, type, id;
