-- name: Stage :execrows
INSERT INTO delivery (id, client, prescriber, party, what, occasion, copy_system, copy_value, type, body, replaces, rests,
  permit, lane, place, mac, state, staged, due, attempts, trying, last, why, receipt, moment)
VALUES (@id, @client, @prescriber, @party, @what, @occasion, @copy_system, @copy_value, @type, @body, @replaces, @rests,
  @permit, @lane, @place, @mac, 'staged', @staged, @staged, 0, false, 0, '', '', @moment)
ON CONFLICT (id) DO NOTHING;
-- name: Delivery :one
SELECT * FROM delivery WHERE id = @id;
-- name: DeliveriesOf :many
SELECT * FROM delivery WHERE client = @client AND prescriber = @prescriber ORDER BY place;
-- name: Deliveries :many
SELECT * FROM delivery WHERE CAST(@state AS text) = '' OR state = @state ORDER BY place;
-- name: NewestDeliveries :many
SELECT * FROM delivery WHERE state = @state ORDER BY place DESC LIMIT @lim;
-- name: OpenLanes :many
SELECT id, lane, state FROM delivery WHERE lane <> '' AND state IN ('staged', 'attempted', 'unknown') ORDER BY place;
-- name: OpenDeliveriesAt :many
SELECT d.id, d.client, d.prescriber, d.party, d.what, d.place, d.staged, d.state, d.attempts, d.due, d.why FROM delivery d
WHERE d.moment <= @moment AND d.state <> 'delivered' AND d.state <> 'withdrawn'
UNION ALL
SELECT d.id, d.client, d.prescriber, d.party, d.what, d.place, d.staged, s.state, s.attempts, s.due, s.why FROM delivery d JOIN step s ON s.id = d.id
WHERE d.moment > @moment AND s.moment = (SELECT max(t.moment) FROM step t WHERE t.id = d.id AND t.moment <= @moment)
  AND s.state <> 'delivered' AND s.state <> 'withdrawn'
ORDER BY 6;
-- name: CountDeliveries :many
SELECT party, state, count(*) AS n FROM delivery GROUP BY party, state;
-- name: DueDeliveries :many
SELECT d.* FROM delivery d
WHERE d.party = @party AND d.state IN ('staged', 'attempted') AND d.due <= @now
  AND (d.lane = '' OR NOT EXISTS (
    SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.place < d.place AND e.state IN ('staged', 'attempted', 'unknown')))
ORDER BY CASE WHEN d.lane LIKE 'urgent %' THEN 0 ELSE 1 END, d.place LIMIT @lim;
-- name: StepDelivery :exec
UPDATE delivery SET state = @state, due = @due, attempts = @attempts, trying = @trying, last = @last, why = @why,
  receipt = @receipt, moment = @moment WHERE id = @id;
-- name: PutStep :exec
INSERT INTO step (id, moment, at, state, attempts, why, receipt, mac, due)
VALUES (@id, @moment, @at, @state, @attempts, @why, @receipt, @mac, @due);
-- name: MoveEngagement :execrows
UPDATE engagement SET stirred = CASE WHEN due = 0 THEN stirred ELSE CAST(@moment AS bigint) END, moved = CAST(@moment AS bigint), due = 0
WHERE client = @client AND prescriber = @prescriber;
-- name: LostBefore :one
SELECT count(*) FROM step s WHERE s.id = @id AND s.state = 'attempted' AND s.attempts < @attempts
  AND NOT EXISTS (SELECT 1 FROM step d WHERE d.id = s.id AND d.state = 'staged' AND d.moment > s.moment
    AND (d.attempts = s.attempts OR d.receipt <> ''));
-- name: OutstandingSteps :many
SELECT d.id, d.prescriber, d.party, d.what, d.rests, d.staged, s.due, s.at, s.state, s.attempts, s.why,
  CAST(EXISTS (SELECT 1 FROM delivery e JOIN step f ON f.id = e.id
    WHERE e.client = d.client AND e.prescriber = d.prescriber AND e.place > d.place AND d.copy_value <> ''
      AND e.copy_system = d.copy_system AND e.copy_value = d.copy_value AND f.moment <= @moment) AS boolean) AS superseded
FROM delivery d JOIN step s ON s.id = d.id
WHERE d.client = @client AND s.moment <= @moment AND (d.state NOT IN ('delivered', 'withdrawn') OR d.moment > @moment)
ORDER BY d.place, s.moment;
-- name: PacketSteps :many
SELECT d.id, d.prescriber, d.rests, s.at, s.state, s.receipt FROM delivery d JOIN step s ON s.id = d.id
WHERE d.client = @client AND d.what = 'packet' AND s.moment <= @moment ORDER BY d.place, s.moment;
-- name: StepsOf :many
SELECT * FROM step WHERE id = @id ORDER BY moment;
-- name: DeliveriesOfClient :many
SELECT * FROM delivery WHERE client = @client ORDER BY place;
-- name: StepsOfClient :many
SELECT s.* FROM delivery d JOIN step s ON s.id = d.id WHERE d.client = @client ORDER BY d.place, s.moment;
-- name: PutTelling :exec
INSERT INTO telling (id, client, party, recipient, address, at, how, what, purpose, teller, instead, recorded, actor, moment, mac)
VALUES (@id, @client, @party, @recipient, @address, @at, @how, @what, @purpose, @teller, @instead, @recorded, @actor, @moment, @mac);
-- name: TellingsOf :many
SELECT * FROM telling WHERE client = @client ORDER BY at, moment;
