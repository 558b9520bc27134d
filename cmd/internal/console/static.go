package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

// stamps are what our own files hold, in short, by their names: an upgrade that changes one changes its address.
var stamps = func() map[string]string {
	stamp := map[string]string{}
	names, err := fs.Glob(files, "static/*")
	for _, name := range names {
		text, wrong := files.ReadFile(name)
		if wrong != nil {
			err = wrong
		}
		sum := sha256.Sum256(text)
		stamp[path.Base(name)] = hex.EncodeToString(sum[:8])
	}
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return stamp
}()

// static is the address of one of our own files, as it is now. It is an error when there is none of that name.
func static(name string) (string, error) {
	stamp, ok := stamps[name]
	if !ok {
		return "", fmt.Errorf("no file %s is embedded", name)
	}
	return "/static/" + name + "?v=" + stamp, nil
}

// serveFiles has our own files asked for below /static/. There is nothing of anybody in them: under the address that a page
// names they may be kept for ever, under another they are asked for each time.
func serveFiles(mux *http.ServeMux) {
	inside, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the path is ours and valid
	}
	all := http.StripPrefix("/static/", http.FileServerFS(inside))
	mux.Handle("GET /static/{$}", http.NotFoundHandler()) // what there is is nobody's to list
	mux.HandleFunc("GET /static/{name...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		if stamp := stamps[r.PathValue("name")]; stamp != "" {
			w.Header().Set("ETag", `"`+stamp+`"`)
			if r.URL.Query().Get("v") == stamp {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
		}
		all.ServeHTTP(w, r)
	})
}
