-- +goose Up
-- Which decisions were entered, and which confirmed: the second person's queue.
CREATE INDEX tray_kind ON tray (kind, client, source);

-- +goose Down
DROP INDEX tray_kind;
