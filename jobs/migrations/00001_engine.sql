-- The engine's own memory, the same text on SQLite and PostgreSQL. Times are unix milliseconds, UTC; 0 = never.

-- +goose Up

CREATE TABLE job_slot (
    job   text   NOT NULL PRIMARY KEY,
    slot  bigint NOT NULL, -- the newest slot of the schedule that was put in the queue
    began bigint NOT NULL  -- when its newest run began
);

CREATE TABLE job_lane (
    lane   text   NOT NULL PRIMARY KEY,
    holder text   NOT NULL,
    fence  bigint NOT NULL,
    until  bigint NOT NULL
);

CREATE TABLE job_run (
    id     bigint NOT NULL PRIMARY KEY,
    job    text   NOT NULL,
    lane   text   NOT NULL,
    cause  text   NOT NULL,
    began  bigint NOT NULL,
    ended  bigint NOT NULL,
    counts text   NOT NULL,
    error  text   NOT NULL
);

CREATE INDEX job_run_open ON job_run (lane) WHERE ended = 0;

CREATE TABLE job_counter (
    name text   NOT NULL PRIMARY KEY,
    n    bigint NOT NULL
);

INSERT INTO job_counter (name, n) VALUES ('run', 0);

-- +goose Down

DROP TABLE job_counter;
DROP TABLE job_run;
DROP TABLE job_lane;
DROP TABLE job_slot;
