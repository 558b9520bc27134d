-- +goose Up
-- The pace at which a counterpart is asked, over all replicas: when its next turn is (in microseconds), and until when it
-- is left in peace (in milliseconds). No client's data: the name is the counterpart's host.
CREATE TABLE counterpart (name text PRIMARY KEY, next bigint NOT NULL, rests bigint NOT NULL);
CREATE INDEX delivery_last ON delivery (party, last);

-- +goose Down
DROP INDEX delivery_last;
DROP TABLE counterpart;
