-- +goose Up
-- Deliveries of one state, the newest first, for whoever looks through them.
CREATE INDEX delivery_state ON delivery (state, place);

-- +goose Down
DROP INDEX delivery_state;
