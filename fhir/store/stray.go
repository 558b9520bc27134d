package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Strays returns what stood in a source of whom nobody knew, in the order of their start, as it was told last before a
// moment, 0 for now. In place of each token there is a keyed digest of it, the same for the same token.
func (db *DB) Strays(ctx context.Context, source string, asOf fhir.Moment) ([]exchange.Stray, error) {
	text, err := db.Setting(ctx, strayed(source), asOf)
	if err != nil || text == "" {
		return nil, err
	}
	var list []exchange.Stray
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("strays of %s are damaged: run `kaphub audit verify`", source)
	}
	return list, nil
}

func strayed(source string) string { return "strays/" + source }

// keepStrays puts what a page tells of strangers in place of what was told before, if it differs.
func (r *receipt) keepStrays(ctx context.Context, page exchange.Page) error {
	if page.Strays == nil {
		return nil
	}
	list := make([]exchange.Stray, 0, len(*page.Strays))
	for _, s := range *page.Strays {
		m := mac(r.db.keys.digests, "stray", s.Token.System, s.Token.Value)
		s.Token.Value = hex.EncodeToString(m[:4])
		s.Start, s.End = s.Start.UTC(), s.End.UTC()
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b exchange.Stray) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Token.Value, b.Token.Value))
	})
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("keep strays: %w", err)
	}
	name := strayed(r.src.Name)
	before, err := r.SettingAt(ctx, table.SettingAtParams{Name: name, Moment: r.moment})
	switch {
	case errors.Is(err, sql.ErrNoRows) && len(list) == 0, err == nil && before == string(text):
		return nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	}
	return r.PutSetting(ctx, table.PutSettingParams{Name: name, Moment: r.moment, Actor: r.actor, Value: string(text),
		Mac: r.seal("setting", name, r.actor, string(text))})
}
