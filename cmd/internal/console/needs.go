package console

import (
	"cmp"

	"github.com/kaphub/kaphub/fhir/exchange"
)

func (c *Console) needsRoutes() []route {
	return []route{{Pattern: "GET /looks", May: overseeing, do: (*visit).needsPage}}
}

// needsPage is who opened a client that is not theirs, and why.
type needsPage struct {
	frame
	Looks []needRow
}

type needRow struct {
	exchange.Glass
	Called string // the client, by their chosen name
	Lasts  bool
}

func (v *visit) needsPage() error {
	in, err := v.look("looks in need", "", "")
	if err != nil {
		return err
	}
	called := map[string]string{}
	for _, c := range in.Clients {
		called[c.Client] = c.Chosen
	}
	list, err := v.Looks.Glasses(v.ctx(), v.now.Add(-glassesShown))
	if err != nil {
		return err
	}
	p := needsPage{frame: v.frame("Emergency looks")}
	for _, g := range list {
		p.Looks = append(p.Looks, needRow{g, cmp.Or(called[g.Client], g.Client), v.now.Before(g.Until)})
	}
	return v.show("needs", p)
}
