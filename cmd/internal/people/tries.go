package people

import (
	"net/netip"
	"sync"
	"time"
)

const (
	freeTries  = 5
	firstWait  = time.Minute
	longWait   = time.Hour
	remoteFree = 20 // tries from one address that may fail in remoteSpan
	remoteSpan = 10 * time.Minute
	remoteMost = 10_000 // addresses remembered at once
)

// opens is when a login may be tried again of which so many tries failed, the last one then: at once after fewer than
// five, after one minute then, and after twice as long with each more that fails, up to an hour.
func opens(failed int, last time.Time) time.Time {
	if failed < freeTries {
		return last
	}
	wait := firstWait
	for n := freeTries; n < failed && wait < longWait; n++ {
		wait *= 2
	}
	return last.Add(min(wait, longWait))
}

// remotes counts what failed from one address, so that one stranger cannot shut the door on everybody by trying every
// login there is. Each replica counts for itself.
type remotes struct {
	mu sync.Mutex
	by map[netip.Prefix]window
}

type window struct {
	failed int
	since  time.Time
}

// network is what one stranger holds: an IPv4 address, or an IPv6 network of 64 bits.
func network(remote netip.Addr) netip.Prefix {
	remote = remote.Unmap().WithZone("")
	bits := remote.BitLen()
	if remote.Is6() {
		bits = 64
	}
	p, _ := remote.Prefix(bits) // of an invalid address it is the zero one: those share a count
	return p
}

// take counts a try as one that failed, unless too many did: then it answers when the next may be made.
func (r *remotes) take(remote netip.Addr, now time.Time) (until time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil || len(r.by) >= remoteMost {
		r.forget(now)
	}
	at := network(remote)
	w := r.by[at]
	if now.Sub(w.since) >= remoteSpan || now.Before(w.since) {
		w = window{since: now}
	}
	if w.failed >= remoteFree {
		return w.since.Add(remoteSpan), false
	}
	w.failed++
	r.by[at] = w
	return time.Time{}, true
}

// forget forgets those whose time went by, and everybody when that makes no room: a flood from so many addresses is
// not held up by counting them.
func (r *remotes) forget(now time.Time) {
	for at, w := range r.by {
		if now.Sub(w.since) >= remoteSpan {
			delete(r.by, at)
		}
	}
	if r.by == nil || len(r.by) >= remoteMost {
		r.by = map[netip.Prefix]window{}
	}
}

// giveBack takes a try back that did not fail.
func (r *remotes) giveBack(remote netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := network(remote)
	if w, ok := r.by[at]; ok && w.failed > 0 {
		w.failed--
		r.by[at] = w
	}
}

// quietly lets a line be written once a minute, and says how many were left out since the last.
type quietly struct {
	mu   sync.Mutex
	last time.Time
	out  int
}

func (q *quietly) may(now time.Time) (left int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.last.IsZero() && now.Sub(q.last) < time.Minute {
		q.out++
		return 0, false
	}
	left, q.last, q.out = q.out, now, 0
	return left, true
}
