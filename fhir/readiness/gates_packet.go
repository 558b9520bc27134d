package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// byPacket is the gate "referral" for a prescriber whom no connector reaches, as long as they have recorded nothing on it
// themselves; ok is false otherwise.
//
//	the packet of the referral          gate                        owner
//	none, or not printed yet            open: print it              admin
//	laid out                            open: hand it over          admin
//	laid out, not to be handed over     open: print it anew         admin
//	handed over                         open since then: ask        prescriber
func (f *facts) byPacket(order *record[fhir.ServiceRequest], task *record[fhir.Task]) (Gate, bool) {
	if !f.policy.Prescriber.Packet || task != nil && task.live() {
		return Gate{}, false
	}
	if at := f.handedOver(order); !at.IsZero() {
		return open("The referral was handed over to "+f.prescriber()+" on "+f.on(at)+"; nothing came back yet", "ask "+f.prescriber()+f.phones()+" whether they take it", order.Version).from(at), true
	}
	next := string(PrintPacket) + " and hand it over"
	words := "The referral to " + f.prescriber() + " goes by hand, and its packet is not printed yet"
	if f.released().now == nil {
		words, next = "The referral to "+f.prescriber()+" goes by hand, and nothing may be told yet", "have the client sign a release; then "+next
	}
	gate := open(words, next, order.Version).by(Admin)
	for i := range f.chart.Outstanding {
		o := &f.chart.Outstanding[i]
		if o.What != "packet" || o.Prescriber != f.policy.Prescriber.Name || !tells(o.Rests, order) || o.State != stateLaidOut || o.Why != "" {
			continue
		}
		gate = open("The packet for "+f.prescriber()+" is printed, and nobody recorded that it was handed over",
			"hand over the packet, then "+string(EnterHanded), order.Version).by(Admin).from(o.Since)
	}
	return gate, true
}

// tells reports whether what rests on these versions tells of the referral, in whatever words.
func tells(rests []fhir.Basis, order *record[fhir.ServiceRequest]) bool {
	return slices.ContainsFunc(rests, func(b fhir.Basis) bool {
		return b.Source == order.Source && b.Type == order.Type && b.ID == order.ID
	})
}

// handedOver returns when the packet of a referral was handed over, first; zero when none was.
func (f *facts) handedOver(order *record[fhir.ServiceRequest]) time.Time {
	var first time.Time
	for _, h := range f.chart.HandedOver {
		if h.Prescriber == f.policy.Prescriber.Name && tells(h.Rests, order) && (first.IsZero() || h.At.Before(first)) {
			first = h.At
		}
	}
	return first
}
