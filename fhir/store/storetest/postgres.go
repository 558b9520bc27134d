//go:build unix

// Package storetest lends tests, and nothing else, a PostgreSQL server.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var server struct {
	once sync.Once
	dsn  string
	err  error
	held *os.File // while it is open the server runs

	mu   sync.Mutex
	next int
}

// Postgres returns the address of a fresh, empty database. One server serves a test binary and ends with it, however
// it ends.
// Where there is no PostgreSQL the test is skipped, or fails when CI is set.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	server.once.Do(func() { server.dsn, server.held, server.err = start() })
	if server.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL is needed here: %v", server.err)
		}
		t.Skipf("skipped, no PostgreSQL: %v", server.err)
	}
	server.mu.Lock()
	server.next++
	name := fmt.Sprintf("test%d", server.next)
	server.mu.Unlock()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// keep runs the server until its standard input ends, which it does when the test binary is gone, and cleans up.
const keep = `"$0" "$@" & server=$!
cat >/dev/null
kill -INT $server; wait $server
cd / && rm -rf "$DIR"`

// start makes a cluster in a temporary directory and runs it on a loopback port, never as root.
func start() (dsn string, held *os.File, err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "kaphub-postgres-")
	if err != nil {
		return "", nil, err
	}
	as, err := somebody(dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), name, args...)
		cmd.Dir, cmd.SysProcAttr = dir, as
		cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir, "DIR="+dir)
		return cmd
	}
	data := filepath.Join(dir, "data")
	made := run(filepath.Join(bin, "initdb"), "-D", data, "-U", "kaphub", "-A", "trust", "-E", "UTF8", "--no-sync")
	if out, err := made.CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	port, err := freePort()
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() { _ = log.Close() }()
	alive, held, err := os.Pipe()
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := run("sh", "-c", keep, filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = alive, log, log
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start postgres: %w", err), os.RemoveAll(dir))
	}
	_ = alive.Close()
	dsn = fmt.Sprintf("postgres://kaphub@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := ready(dsn); err != nil {
		said, _ := os.ReadFile(log.Name())
		return "", nil, errors.Join(fmt.Errorf("start postgres: %w: %s", err, said), held.Close(), cmd.Wait())
	}
	return dsn, held, nil
}

// ready waits until the server takes connections.
func ready(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// binaries returns the newest directory that has initdb and postgres.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb is not installed (Debian: apt-get install postgresql)")
	}
	return filepath.Dir(path), nil
}

// somebody returns as whom the server runs: PostgreSQL refuses root, so root lends it to nobody.
func somebody(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, int(uid), int(gid))
}

func freePort() (int, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
