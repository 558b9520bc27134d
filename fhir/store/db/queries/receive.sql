-- name: Heads :many
SELECT v.id, v.n, v.party, v.subject, v.gone, v.version_id, v.last_updated, v.hash
FROM json_each(@ids) AS k CROSS JOIN version v
WHERE v.source = @source AND v.type = @type AND v.id = k.key
  AND v.n = (SELECT max(w.n) FROM version w WHERE w.source = v.source AND w.type = v.type AND w.id = v.id);
-- name: Known :one
SELECT count(*) FROM version WHERE source = @source AND type = @type AND id = @id AND hash = @hash AND version_id = @version_id;
-- name: PutVersion :exec
INSERT INTO version (source, type, id, n, party, subject, moment, received, gone, why, version_id, last_updated, hash, mac, body)
VALUES (@source, @type, @id, @n, @party, @subject, @moment, @received, @gone, @why, @version_id, @last_updated, @hash, @mac, @body);
-- name: VersionOf :one
SELECT * FROM version WHERE source = @source AND type = @type AND id = @id AND n = @n;
-- name: HeldBy :many
SELECT v.type, v.id, v.n, v.party, v.subject FROM json_each(@subjects) AS k CROSS JOIN version v
WHERE v.source = @source AND v.subject = k.key AND NOT v.gone
  AND v.n = (SELECT max(w.n) FROM version w WHERE w.source = v.source AND w.type = v.type AND w.id = v.id);

-- name: PutMention :exec
INSERT INTO mention (source, origin_type, origin_id, type, id, moment)
VALUES (@source, @origin_type, @origin_id, @type, @id, @moment) ON CONFLICT (source, origin_type, origin_id, type, id) DO NOTHING;
-- name: ClientsMentioning :many
WITH RECURSIVE up (type, id) AS (
  SELECT m.origin_type, m.origin_id FROM mention m WHERE m.source = @source AND m.type = @type AND m.id = @id
  UNION
  SELECT m.origin_type, m.origin_id FROM up JOIN mention m ON m.source = @source AND m.type = up.type AND m.id = up.id)
SELECT DISTINCT l.client FROM up JOIN link l ON l.source = @source AND l.patient = up.id
WHERE up.type = 'Patient' AND l.ended = 0 AND l.how <> 'candidate';

-- name: LinksOf :many
SELECT l.* FROM json_each(@patients) AS k CROSS JOIN link l
WHERE l.source = @source AND l.patient = k.key AND l.ended = 0;
-- name: PutLink :exec
INSERT INTO link (source, patient, client, moment, party, how, since, ended, read_back, mac, evidence)
VALUES (@source, @patient, @client, @moment, @party, @how, @since, 0, @read_back, @mac, @evidence);
-- name: EndCandidate :execrows
UPDATE link SET ended = @ended WHERE source = @source AND patient = @patient AND client = @client AND ended = 0 AND how = 'candidate';
-- name: MarkReadBack :execrows
UPDATE link SET read_back = @moment WHERE source = @source AND patient = @patient AND ended = 0 AND read_back = 0;
-- name: ClientKnown :one
SELECT count(*) FROM link WHERE client = @client;
-- name: DigestsOf :many
SELECT digest FROM digest WHERE source = @source AND patient = @patient;
-- name: DigestsOfMany :many
SELECT d.patient, d.digest FROM json_each(@patients) AS k CROSS JOIN digest d WHERE d.source = @source AND d.patient = k.key;
-- name: PutDigest :exec
INSERT INTO digest (source, patient, digest) VALUES (@source, @patient, @digest) ON CONFLICT (source, patient, digest) DO NOTHING;
-- name: DropDigest :exec
DELETE FROM digest WHERE source = @source AND patient = @patient AND digest = @digest;
-- name: NoteStrangers :exec
INSERT INTO stranger (source, patient, since, seen) SELECT @source, k.key, @since, false FROM json_each(@patients) AS k WHERE true
ON CONFLICT (source, patient) DO NOTHING;
-- name: NoteSeen :exec
INSERT INTO stranger (source, patient, since, seen) SELECT @source, k.key, @since, true FROM json_each(@patients) AS k WHERE true
ON CONFLICT (source, patient) DO UPDATE SET seen = true;
-- name: ClientsSharing :many
SELECT DISTINCT d.digest, l.client FROM json_each(@digests) AS k CROSS JOIN digest d
JOIN link l ON l.source = d.source AND l.patient = d.patient
WHERE d.digest = k.key AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice';
-- name: PatientsSharing :many
SELECT DISTINCT e.source, e.patient, s.party FROM json_each(@digests) AS k CROSS JOIN digest e
JOIN source s ON s.name = e.source
WHERE e.digest = k.key AND s.party <> 'practice';
-- name: JoinedAtPractice :many
SELECT DISTINCT e.source, e.patient FROM json_each(@digests) AS k CROSS JOIN digest e
JOIN link l ON l.source = e.source AND l.patient = e.patient
WHERE e.digest = k.key AND l.ended = 0 AND l.how = 'identifier' AND l.party = 'practice';
-- name: PatientsOfClient :many
SELECT DISTINCT e.patient FROM link l
JOIN digest d ON d.source = l.source AND d.patient = l.patient
JOIN digest e ON e.digest = d.digest
WHERE l.client = @client AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice' AND e.source = @source;
-- name: LinkOfClient :many
SELECT patient FROM link WHERE client = @client AND source = @source AND ended = 0 AND how <> 'candidate';

-- name: PutReject :exec
INSERT INTO reject (id, source, type, ref, subject, reason, hash, received, moment, resolved, resolved_moment, mac, body)
VALUES (@id, @source, @type, @ref, @subject, @reason, @hash, @received, @moment, '', 0, @mac, @body);
-- name: OpenRejects :many
SELECT id, type, ref, subject, hash, moment FROM reject WHERE source = @source AND resolved_moment = 0;
-- name: ResolveReject :execrows
UPDATE reject SET resolved = @resolved, resolved_moment = @moment WHERE id = @id AND resolved_moment = 0;
-- name: Rejects :many
SELECT * FROM reject WHERE CAST(@everything AS boolean) OR resolved_moment = 0 ORDER BY moment, id;
-- name: OpenRejectsAt :many
SELECT * FROM reject WHERE moment <= @moment AND (resolved_moment = 0 OR resolved_moment > @moment) ORDER BY moment, id;
-- name: Reject :one
SELECT * FROM reject WHERE id = @id;

-- name: Engage :execresult
INSERT INTO engagement (client, prescriber, moment, moved, due, chart, judged, until, policy, state, starved, verdict, hash)
VALUES (@client, @prescriber, @moment, @moved, 0, 0, 0, 0, '', '', false, 0, '') ON CONFLICT (client, prescriber) DO NOTHING;
-- name: MoveClients :execrows
UPDATE engagement SET stirred = CASE WHEN due = 0 THEN stirred ELSE CAST(@moment AS bigint) END, moved = CAST(@moment AS bigint), due = 0 WHERE client IN (SELECT key FROM json_each(@clients));
-- name: MoveParty :execrows
UPDATE engagement SET stirred = CASE WHEN due = 0 THEN stirred ELSE CAST(@moment AS bigint) END, moved = CAST(@moment AS bigint), due = 0
WHERE CAST(@party AS text) = 'practice' OR client IN (SELECT e.client FROM engagement e WHERE e.prescriber = @party);
-- name: MoveStarved :execrows
UPDATE engagement SET stirred = CASE WHEN due = 0 THEN stirred ELSE CAST(@moment AS bigint) END, moved = CAST(@moment AS bigint), due = 0
WHERE state = 'UNKNOWN' AND starved
  AND (CAST(@party AS text) = 'practice' OR client IN (SELECT e.client FROM engagement e WHERE e.prescriber = @party));
-- name: MoveUnknown :execrows
UPDATE engagement SET stirred = CASE WHEN due = 0 THEN stirred ELSE CAST(@moment AS bigint) END, moved = CAST(@moment AS bigint), due = 0
WHERE state = 'UNKNOWN'
  AND (CAST(@party AS text) = 'practice' OR client IN (SELECT e.client FROM engagement e WHERE e.prescriber = @party));
-- name: CountEngagements :one
SELECT count(*) FROM engagement WHERE client = @client;
-- name: CountLinks :one
SELECT count(*) FROM link WHERE client = @client;
-- name: EndLink :execrows
UPDATE link SET ended = @ended WHERE source = @source AND patient = @patient AND client = @client AND ended = 0 AND how <> 'candidate';
-- name: PartedFrom :many
SELECT DISTINCT client FROM link WHERE source = @source AND patient = @patient AND ended <> 0 AND how <> 'candidate';
