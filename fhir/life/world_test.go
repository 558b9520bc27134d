package life

import (
	"reflect"
	"testing"
)

// A chart that is cut out of what was read once is the chart that is read anew.
func TestACutChartIsTheChart(t *testing.T) {
	for seed := uint64(1); seed <= 15; seed++ {
		w := Reach(Live(seed))
		for i, at := range w.Boundaries() {
			if i%9 != 0 {
				continue
			}
			cut, fresh := w.At(at), w.Fresh(at)
			if len(cut.Unread) != 0 || len(fresh.Unread) != 0 {
				t.Fatalf("life %d: a version cannot be read: %v", seed, fresh.Unread[0].Key)
			}
			for f := range reflect.TypeOf(cut).NumField() {
				a, b := reflect.ValueOf(cut).Field(f), reflect.ValueOf(fresh).Field(f)
				if a.Kind() == reflect.Slice && a.Len()+b.Len() == 0 {
					continue
				}
				if !reflect.DeepEqual(a.Interface(), b.Interface()) {
					t.Fatalf("life %d at %s: %s differ: %d, %d", seed, at, reflect.TypeOf(cut).Field(f).Name, a.Len(), b.Len())
				}
			}
		}
	}
}

func TestALifeIsTheSameForTheSameSeed(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		if a, b := Live(seed).String(), Live(seed).String(); a != b {
			t.Fatalf("life %d differs:\n%s\n%s", seed, a, b)
		}
	}
}

func TestShrinkKeepsWhatFails(t *testing.T) {
	l := Live(3)
	short := Shrink(l, func(l Life) bool {
		n := 0
		for _, e := range l.Events {
			if e.What == Check {
				n++
			}
		}
		return n >= 2
	})
	if len(short.Events) != 2 || short.Events[0].What != Check || short.Events[1].What != Check {
		t.Errorf("the shortest is\n%s", short)
	}
}
