-- +goose Up
-- Whom something befell since a moment: so that whoever holds the board reads only what changed.
CREATE INDEX engagement_moment ON engagement (moment);
CREATE INDEX engagement_moved ON engagement (moved);
CREATE INDEX judgement_moment ON judgement (moment);

-- +goose Down
DROP INDEX judgement_moment; DROP INDEX engagement_moved; DROP INDEX engagement_moment;
