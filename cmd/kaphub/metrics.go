package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// metrics are counts by source, party, job and state: never by client.
type metrics struct {
	registry *prometheus.Registry
	runs     *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(h *hub) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		runs:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kaphub_job_runs_total", Help: "Runs of a job by how they ended."}, []string{"job", "outcome"}),
		seconds:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kaphub_job_seconds", Help: "How long runs of a job took.", Buckets: []float64{.1, 1, 10, 60, 600, 3600}}, []string{"job"}),
	}
	m.registry.MustRegister(m.runs, m.seconds, &board{hub: h}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) ran(job string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.runs.WithLabelValues(job, outcome).Inc()
	m.seconds.WithLabelValues(job).Observe(took.Seconds())
}

// board counts what stands in the store, at most once in a while however often it is asked.
type board struct {
	hub *hub

	mu   sync.Mutex
	read time.Time
	last report.Input
}

const boardAge = 15 * time.Second

var (
	clientsDesc    = prometheus.NewDesc("kaphub_clients", "Engagements by the state of their verdict.", []string{"prescriber", "state"}, nil)
	findingsDesc   = prometheus.NewDesc("kaphub_findings", "Open findings by rule.", []string{"code", "severity"}, nil)
	deliveriesDesc = prometheus.NewDesc("kaphub_deliveries", "Deliveries by receiver and state.", []string{"to", "state"}, nil)
	rejectsDesc    = prometheus.NewDesc("kaphub_rejects_open", "Records that could not be read and are not resolved.", []string{"source"}, nil)
	freshDesc      = prometheus.NewDesc("kaphub_source_fresh", "1 when the source's last complete read is fresh.", []string{"source"}, nil)
	completeDesc   = prometheus.NewDesc("kaphub_source_last_complete_timestamp_seconds", "When the source was last read completely.", []string{"source"}, nil)
	pausedDesc     = prometheus.NewDesc("kaphub_paused", "1 while sending waits after a restore.", nil, nil)
)

// Describe names what Collect sends.
func (b *board) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{clientsDesc, findingsDesc, deliveriesDesc, rejectsDesc, freshDesc, completeDesc, pausedDesc} {
		to <- d
	}
}

// Collect reads the store and counts.
func (b *board) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	in, err := b.view(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(clientsDesc, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	tally := func(d *prometheus.Desc, counts map[[2]string]int) {
		for labels, n := range counts {
			gauge(d, float64(n), labels[0], labels[1])
		}
	}
	clients, deliveries, rejects := map[[2]string]int{}, map[[2]string]int{}, map[string]int{}
	for _, v := range in.Clients {
		clients[[2]string{v.Prescriber, string(v.State)}]++
	}
	counts, err := b.hub.store.CountDeliveries(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(deliveriesDesc, err)
	}
	for _, c := range counts {
		deliveries[[2]string{c.To, string(c.State)}] = c.N
	}
	for _, source := range in.Sources {
		rejects[source.Name] = 0
		fresh := 0.0
		if source.State == report.Fresh {
			fresh = 1
		}
		gauge(freshDesc, fresh, source.Name)
		if !source.LastComplete.IsZero() {
			gauge(completeDesc, float64(source.LastComplete.Unix()), source.Name)
		}
	}
	for _, r := range in.Rejects {
		rejects[r.Source]++
	}
	for source, n := range rejects {
		gauge(rejectsDesc, float64(n), source)
	}
	tally(clientsDesc, clients)
	tally(findingsDesc, countFindings(in.Clients))
	tally(deliveriesDesc, deliveries)
	if paused, err := b.hub.store.Paused(ctx); err == nil {
		n := 0.0
		if paused {
			n = 1
		}
		gauge(pausedDesc, n)
	}
}

func (b *board) view(ctx context.Context) (report.Input, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Sub(b.read) > boardAge {
		in, err := b.hub.view(ctx)
		if err != nil {
			return in, err
		}
		b.last, b.read = in, now
	}
	return b.last, nil
}

// errorLog lets promhttp tell its mistakes.
type errorLog struct{ log *slog.Logger }

// Println logs one mistake.
func (l errorLog) Println(v ...any) { l.log.Error("metrics", "error", v) }

// countFindings counts the open findings by rule and severity. What is for its owner only is left out: in a small practice one
// more or less tells whose it is.
func countFindings(clients []readiness.Verdict) map[[2]string]int {
	n := map[[2]string]int{}
	for _, v := range clients {
		for _, f := range v.Findings {
			if f.Resolved.IsZero() && !readiness.Confided(f.Code) {
				n[[2]string{f.Code, string(f.Severity)}]++
			}
		}
	}
	return n
}
