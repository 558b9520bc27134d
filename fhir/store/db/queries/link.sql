-- name: TraitOf :many
SELECT * FROM trait WHERE source = @source AND patient = @patient;
-- name: TraitsOfMany :many
SELECT t.* FROM json_each(@patients) AS k CROSS JOIN trait t WHERE t.source = @source AND t.patient = k.key;
-- name: TraitsOfClient :many
SELECT t.* FROM link l JOIN trait t ON t.source = l.source AND t.patient = l.patient
WHERE l.client = @client AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice' ORDER BY t.source, t.patient;
-- name: PutTrait :exec
INSERT INTO trait (source, patient, birth, family, sound, given, phone, mail)
VALUES (@source, @patient, @birth, @family, @sound, @given, @phone, @mail)
ON CONFLICT (source, patient) DO UPDATE SET birth = excluded.birth, family = excluded.family, sound = excluded.sound,
  given = excluded.given, phone = excluded.phone, mail = excluded.mail;
-- name: ClientsBorn :many
SELECT DISTINCT l.client FROM trait t JOIN link l ON l.source = t.source AND l.patient = t.patient
WHERE t.birth = @birth AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice' ORDER BY l.client;
-- name: PatientsBorn :many
SELECT t.source, t.patient, s.party FROM json_each(@births) AS k CROSS JOIN trait t JOIN source s ON s.name = t.source
WHERE t.birth = k.key AND s.party <> 'practice';
-- name: RivalsOf :many
SELECT DISTINCT f.source, f.patient, s.party FROM json_each(@digests) AS k CROSS JOIN digest d
JOIN link l ON l.source = d.source AND l.patient = d.patient
JOIN link m ON m.client = l.client
JOIN digest e ON e.source = m.source AND e.patient = m.patient
JOIN digest f ON f.digest = e.digest
JOIN source s ON s.name = f.source
WHERE d.digest = k.key AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice'
  AND m.ended = 0 AND m.how <> 'candidate' AND m.party = 'practice' AND s.party <> 'practice';
-- name: DigestsOfClient :many
SELECT DISTINCT d.digest FROM link l JOIN digest d ON d.source = l.source AND d.patient = l.patient
WHERE l.client = @client AND l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice';
-- name: TwiceAtPractice :many
SELECT DISTINCT l.client, m.client AS other FROM link l
JOIN digest d ON d.source = l.source AND d.patient = l.patient
JOIN digest e ON e.digest = d.digest
JOIN link m ON m.source = e.source AND m.patient = e.patient
WHERE l.ended = 0 AND l.how <> 'candidate' AND l.party = 'practice'
  AND m.ended = 0 AND m.how <> 'candidate' AND m.party = 'practice' AND l.client < m.client
ORDER BY l.client, m.client;

-- name: RulingsOn :many
SELECT * FROM ruling WHERE source = @source AND patient = @patient ORDER BY moment, client;
-- name: PutRuling :exec
INSERT INTO ruling (source, patient, client, moment, at, said, actor, reason, agreed, mac)
VALUES (@source, @patient, @client, @moment, @at, @said, @actor, @reason, @agreed, @mac);
