package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/store"
)

// The steps of the first run, in order.
const (
	stepPractice   = "practice"
	stepPrescriber = "prescriber"
	stepSheet      = "sheet"
	stepKey        = "key"
	stepRecords    = "records"
	stepRoster     = "roster"
	stepOwner      = "owner"

	keyShown = "key shown" // no step: a recovery key is on somebody's paper
)

// wizard makes a hub's first config. What was done lies in files beside the config that is to be, so that it can be left
// and gone on with: a draft of the config, which steps are done, and from the key on the key and the store. The draft
// becomes the config at the very end.
type wizard struct {
	scene *scene
	final string // where the config will stand
	done  chan struct{}

	mu     sync.Mutex
	key    *store.Key // made and shown, and not yet typed back
	void   bool       // another key was shown before it
	hub    *hub       // by the draft, once it is whole
	intake *intake    // a roster that was read and not brought in
	file   []byte     // of which it was read
}

func (w *wizard) draft() string  { return w.final + ".draft" }
func (w *wizard) ledger() string { return w.final + ".steps" }

// begun reports whether somebody began here before.
func (w *wizard) begun() bool {
	_, err := os.Lstat(w.draft())
	return err == nil
}

func (w *wizard) marked() map[string]bool {
	var names []string
	marks := map[string]bool{}
	text, err := os.ReadFile(w.ledger())
	if err != nil || json.Unmarshal(text, &names) != nil {
		return marks
	}
	for _, name := range names {
		marks[name] = true
	}
	return marks
}

func (w *wizard) mark(step string) error {
	marks := w.marked()
	marks[step] = true
	var names []string
	for _, name := range []string{stepPractice, stepPrescriber, stepSheet, keyShown, stepKey, stepRecords, stepRoster} {
		if marks[name] {
			names = append(names, name)
		}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("note the step: %w", err)
	}
	return replaceFile(w.ledger(), text)
}

// Steps are what is to be done, and what of it is done.
func (w *wizard) Steps(context.Context) ([]console.Step, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.marked()
	return []console.Step{
		{Key: stepPractice, Title: "Practice", Done: m[stepPractice], Open: true},
		{Key: stepPrescriber, Title: "Prescriber", Done: m[stepPrescriber], Open: m[stepPractice] && !m[stepRecords]},
		{Key: stepSheet, Title: "What they agreed to", Done: m[stepSheet], Open: m[stepPrescriber]},
		{Key: stepKey, Title: "Key", Done: m[stepKey], Open: m[stepPrescriber]},
		{Key: stepRecords, Title: "Your records", Done: m[stepRecords], Open: m[stepKey]},
		{Key: stepRoster, Title: "Your clients", Done: m[stepRoster], Open: m[stepRecords]},
		{Key: stepOwner, Title: "You", Open: m[stepRecords]},
	}, nil
}

// text is the draft as it stands, and what it says; the example where there is none yet.
func (w *wizard) text() ([]byte, map[string]string, error) {
	text, err := os.ReadFile(w.draft())
	if errors.Is(err, fs.ErrNotExist) {
		text, err = begunWith("")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the draft of the config: %w", err)
	}
	file, err := config.Leaves(text)
	return text, file, err
}

// begunWith is a config of nobody yet, with a preset's prescriber.
func begunWith(preset string) ([]byte, error) {
	edits := []config.Edit{{Path: "hub.name"}, {Path: "hub.time_zone"}, {Path: "practice.title"}, {Path: "practice.connectors", List: []string{}}}
	if preset == "" {
		edits = append(edits, config.Edit{Path: "prescribers[0].connectors", List: []string{}})
	}
	return config.Apply((&initCommand{Preset: preset}).body(), edits)
}

// problems are all that is wrong with a text as a config. The key is made later.
func (w *wizard) problems(text []byte) []config.Problem {
	_, err := config.Read(w.draft(), text, append(slices.Clone(w.scene.environment), "KAPHUB_KEY=later"))
	if invalid, ok := errors.AsType[*config.Invalid](err); ok {
		return invalid.Problems
	}
	return nil
}

// Recovery returns the recovery key of the hub's key, which is made when it is asked for first.
func (w *wizard) Recovery(context.Context) (recovery string, void bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.key == nil {
		key := store.NewKey()
		w.key = &key
		w.void = w.marked()[keyShown] // by a hub that was stopped since, and kept nothing of it
		if err := w.mark(keyShown); err != nil {
			return "", false, err
		}
	}
	return w.key.Recovery(), w.void, nil
}

// KeepKey keeps the key whose recovery key is shown, once two groups of its recovery key were typed back.
func (w *wizard) KeepKey(_ context.Context, groups []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.key == nil {
		return console.ErrTyped
	}
	paper := strings.Split(w.key.Recovery(), "-")
	for i, n := range console.GroupsAsked {
		typed := strings.NewReplacer("I", "1", "L", "1", "O", "0", " ", "", "-", "").Replace(strings.ToUpper(groups[i]))
		if typed != paper[n-1] {
			return console.ErrTyped
		}
	}
	if err := w.key.Save(filepath.Join(filepath.Dir(w.final), "kaphub.key")); err != nil {
		return err
	}
	w.key = nil
	return w.mark(stepKey)
}

// opened is the hub by the draft. The caller holds mu.
func (w *wizard) opened(ctx context.Context) (*hub, error) {
	if w.hub != nil {
		return w.hub, nil
	}
	own := *w.scene
	one := *w.scene.cli
	one.Config = w.draft()
	own.cli = &one
	h, err := own.open(ctx)
	if err != nil {
		return nil, err
	}
	h.foreground = true
	w.hub = h
	return h, nil
}

// closed lets go of the hub, whose config changes. The caller holds mu.
func (w *wizard) closed() {
	if w.hub != nil {
		w.hub.close()
		w.hub = nil
	}
}

// leave lets go of everything.
func (w *wizard) leave() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed()
	return nil
}

// Finish makes the owner's account and puts the config in its place.
func (w *wizard) Finish(ctx context.Context, owner people.Profile) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.opened(ctx)
	if err != nil {
		return "", err
	}
	house, err := people.New(people.Options{Store: h.store, Now: h.now, Title: h.policies()[0].Practice.Title})
	if err != nil {
		return "", err
	}
	_, invitation, err := house.Invite(ctx, h.actor, owner)
	if errors.Is(err, people.ErrTaken) { // of a first run that ended here before
		invitation, err = again(ctx, house, h.actor, owner)
	}
	if err != nil {
		return "", err
	}
	w.closed()
	if err := os.Rename(w.draft(), w.final); err != nil {
		return "", fmt.Errorf("put the config in its place: %w", err)
	}
	if err := os.Remove(w.ledger()); err != nil {
		w.scene.log.Warn("remove the list of steps", "error", err)
	}
	close(w.done)
	return people.InvitePath + invitation.Token, nil
}

// again invites somebody anew who never came in.
func again(ctx context.Context, house *people.House, actor string, owner people.Profile) (people.Invitation, error) {
	all, err := house.Accounts(ctx)
	if err != nil {
		return people.Invitation{}, err
	}
	for _, a := range all {
		if a.Login == strings.ToLower(strings.TrimSpace(owner.Login)) && !a.Ready {
			_, invitation, err := house.Reset(ctx, actor, a.ID, people.LostPhone)
			return invitation, err
		}
	}
	return people.Invitation{}, people.ErrTaken
}
