package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// The README's pictures are made of the demo, by make screenshots: KAPHUB_SCREENSHOTS names where to.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("KAPHUB_SCREENSHOTS")
	if dir == "" {
		t.Skip("make screenshots takes them")
	}
	h := practised(t)
	w := newWalker(t, h.shownTo(t, people.Owner), false)
	w.in("light", 1280)
	w.open("/")
	client := ""
	for _, path := range w.links() {
		if strings.HasPrefix(path, "/clients/c-") && client == "" {
			client = path
		}
	}
	for _, shot := range []struct {
		name, path, scheme string
		width, height      int64
	}{
		{"today", "/", "light", 1280, 900},
		{"client", client, "light", 1280, 900},
		{"card", client + "/card", "light", 390, 844},
		{"report", "/report", "dark", 1280, 900},
	} {
		w.in(shot.scheme, shot.width)
		if err := chromedp.Do(w.ctx, chromedp.EmulateViewport(shot.width, shot.height)); err != nil {
			t.Fatal(err)
		}
		if status := w.open(shot.path); status != 200 {
			t.Fatalf("%s is answered %d", shot.name, status)
		}
		picture, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, shot.name+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
