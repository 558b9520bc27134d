-- name: CountSealed :one
SELECT CAST((SELECT count(*) FROM version) + (SELECT count(*) FROM link) + (SELECT count(*) FROM link WHERE ended <> 0) + (SELECT count(*) FROM reject)
  + (SELECT count(*) FROM reject WHERE resolved_moment <> 0) + (SELECT count(*) FROM verdict) + (SELECT count(*) FROM judgement WHERE mac <> '') + (SELECT count(*) FROM source_log WHERE mac <> '') + (SELECT count(*) FROM delivery)
  + (SELECT count(*) FROM step) + (SELECT count(*) FROM setting) + (SELECT count(*) FROM ruling) + (SELECT count(*) FROM telling)
  + (SELECT count(*) FROM sealed) + (SELECT count(*) FROM sealed WHERE ended <> 0) + (SELECT count(*) FROM notice) + (SELECT count(*) FROM handling)
  + (SELECT count(*) FROM began) + (SELECT count(*) FROM account) + (SELECT count(*) FROM glass) + (SELECT count(*) FROM audit) AS bigint);
-- name: VersionsFrom :many
SELECT * FROM version WHERE (source, type, id, n) > (CAST(@source AS text), CAST(@type AS text), CAST(@id AS text), CAST(@n AS bigint)) ORDER BY source, type, id, n LIMIT @lim;
-- name: VerdictsFrom :many
SELECT * FROM verdict WHERE (client, prescriber, moment) > (CAST(@client AS text), CAST(@prescriber AS text), CAST(@moment AS bigint)) ORDER BY client, prescriber, moment LIMIT @lim;
-- name: JudgementsFrom :many
SELECT * FROM judgement WHERE (client, prescriber, moment) > (CAST(@client AS text), CAST(@prescriber AS text), CAST(@moment AS bigint)) ORDER BY client, prescriber, moment LIMIT @lim;
-- name: SourceLogFrom :many
SELECT * FROM source_log WHERE (name, moment) > (CAST(@name AS text), CAST(@moment AS bigint)) ORDER BY name, moment LIMIT @lim;
-- name: AllLinks :many
SELECT * FROM link ORDER BY source, patient, client, moment;
-- name: AllRulings :many
SELECT * FROM ruling ORDER BY source, patient, client, moment;
-- name: AllSteps :many
SELECT * FROM step ORDER BY id, moment;
-- name: FirstStep :one
SELECT moment FROM step WHERE id = @id ORDER BY moment LIMIT 1;
-- name: StepAt :one
SELECT * FROM step WHERE id = @id AND moment = @moment;
-- name: AllSettings :many
SELECT * FROM setting ORDER BY name, moment;
-- name: CountVersions :one
SELECT count(*) FROM version;
-- name: AllTellings :many
SELECT * FROM telling ORDER BY moment, id;
-- name: AllBegan :many
SELECT * FROM began ORDER BY client, prescriber, starts, source, type, id;
