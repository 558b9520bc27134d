-- +goose Up
-- What people told of clients by phone, fax or letter, as they recorded it. instead names the one it corrects; '' = none.
CREATE TABLE telling (
  id text PRIMARY KEY, client text NOT NULL, party text NOT NULL, recipient text NOT NULL, address text NOT NULL,
  at bigint NOT NULL, how text NOT NULL, what text NOT NULL, purpose text NOT NULL, teller text NOT NULL, instead text NOT NULL,
  recorded bigint NOT NULL, actor text NOT NULL, moment bigint NOT NULL, mac text NOT NULL);
CREATE INDEX telling_client ON telling (client, at);

-- +goose Down
DROP TABLE telling;
