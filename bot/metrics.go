package bot

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts and times what the tutor and its front ends do, for Prometheus. A nil
// *Metrics counts nothing. Labels come from small closed sets: no person, channel or
// tenant is in them.
type Metrics struct {
	registry *prometheus.Registry
	first    *prometheus.HistogramVec // seconds; platform, command
	final    *prometheus.HistogramVec
	replies  *prometheus.CounterVec // platform, command, outcome
	errors   *prometheus.CounterVec // platform, where
	limited  *prometheus.CounterVec // platform
	up       *prometheus.GaugeVec   // platform, connection
	waiting  prometheus.Gauge
	commit   prometheus.Histogram
	loaded   prometheus.Gauge
	bytes    prometheus.Gauge
	said     *prometheus.CounterVec // platform, outcome
	unsaid   *prometheus.GaugeVec   // platform
	excess   *prometheus.CounterVec // platform, limit
}

// NewMetrics makes metrics of their own registry, with those of the Go runtime.
func NewMetrics() *Metrics {
	buckets := []float64{.005, .01, .025, .05, .1, .2, .35, .5, 1, 2, 5, 10, 30, 60, 300}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		first: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "timonier_first_response_seconds",
			Help: "Time from an event's arrival to its acknowledgement.", Buckets: buckets}, []string{"platform", "command"}),
		final: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "timonier_final_answer_seconds",
			Help: "Time from an event's arrival to the delivery of its final answer.", Buckets: buckets}, []string{"platform", "command"}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "timonier_answers_total",
			Help: "Final answers, by outcome: ok, mistake (the learner's), failure (ours)."}, []string{"platform", "command", "outcome"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "timonier_errors_total",
			Help: "Failures, by where they happened."}, []string{"platform", "where"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "timonier_rate_limited_total",
			Help: "Requests that a platform answered with 429."}, []string{"platform"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "timonier_connection_up",
			Help: "1 while a connection to a platform is up."}, []string{"platform", "connection"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "timonier_queue_length", Help: "Requests that wait for their turn or are being answered."}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "timonier_commit_seconds",
			Help: "Time of a durable commit.", Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1}}),
	}
	m.loaded = prometheus.NewGauge(prometheus.GaugeOpts{Name: "timonier_channels_loaded", Help: "Channels in memory."})
	m.bytes = prometheus.NewGauge(prometheus.GaugeOpts{Name: "timonier_channels_loaded_bytes", Help: "Memory that the channels take, about: see serve --memory."})
	m.said = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "timonier_announcements_total",
		Help: "What was to be said unasked, by outcome: said, failed (and tried again), unreachable, dropped (too old, or too many)."}, []string{"platform", "outcome"})
	m.unsaid = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "timonier_announcements_waiting",
		Help: "Channels and people that there is something to say to unasked."}, []string{"platform"})
	m.excess = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "timonier_excess_total",
		Help: "Requests refused for their rate, by whose it was: person, channel, tenant, typing (completions)."}, []string{"platform", "limit"})
	m.registry.MustRegister(m.loaded, m.bytes, m.excess, m.said, m.unsaid, m.first, m.final, m.replies, m.errors, m.limited, m.up, m.waiting, m.commit,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Platform has what counts a platform's troubles begin at 0: what is missing cannot be told from what has never happened.
func (m *Metrics) Platform(name string) {
	if m == nil {
		return
	}
	for _, where := range []string{"delivery", "signature", "event", "connection", "command", "busy", "acknowledgement", "alarm", "announcement"} {
		m.errors.WithLabelValues(name, where)
	}
	for _, outcome := range []string{"said", "failed", "unreachable", "dropped"} {
		m.said.WithLabelValues(name, outcome)
	}
	for _, limit := range []string{"person", "channel", "tenant", "typing"} {
		m.excess.WithLabelValues(name, limit)
	}
	m.limited.WithLabelValues(name)
	m.unsaid.WithLabelValues(name)
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Acknowledged times the first response to an event.
func (m *Metrics) Acknowledged(platform, command string, after time.Duration) {
	if m != nil {
		m.first.WithLabelValues(platform, command).Observe(after.Seconds())
	}
}

// Delivered times and counts a final answer that has reached the platform.
func (m *Metrics) Delivered(platform, command string, r Reply, after time.Duration) {
	if m == nil {
		return
	}
	outcome := "ok"
	switch {
	case r.Reference != "":
		outcome = "failure"
	case r.Failed:
		outcome = "mistake"
	}
	m.final.WithLabelValues(platform, command).Observe(after.Seconds())
	m.replies.WithLabelValues(platform, command, outcome).Inc()
}

// Failed counts a failure. where is one of a few words: delivery, signature, event, connection, command, busy.
func (m *Metrics) Failed(platform, where string) {
	if m != nil {
		m.errors.WithLabelValues(platform, where).Inc()
	}
}

// Limited counts a request that the platform refused for its rate.
func (m *Metrics) Limited(platform string) {
	if m != nil {
		m.limited.WithLabelValues(platform).Inc()
	}
}

// Connection says whether a connection is up. name: gateway-0, socket, http.
func (m *Metrics) Connection(platform, name string, up bool) {
	if m == nil {
		return
	}
	v := 0.0
	if up {
		v = 1
	}
	m.up.WithLabelValues(platform, name).Set(v)
}

func (m *Metrics) announced(platform, outcome string) {
	if m != nil {
		m.said.WithLabelValues(platform, outcome).Inc()
	}
}

func (m *Metrics) toSay(platform string, by float64) {
	if m != nil {
		m.unsaid.WithLabelValues(platform).Add(by)
	}
}

func (m *Metrics) exceeded(platform, limit string) {
	if m != nil {
		m.excess.WithLabelValues(platform, limit).Inc()
	}
}

func (m *Metrics) queued(by float64) {
	if m != nil {
		m.waiting.Add(by)
	}
}

func (m *Metrics) inMemory(channels int, bytes int64) {
	if m != nil {
		m.loaded.Set(float64(channels))
		m.bytes.Set(float64(bytes))
	}
}

func (m *Metrics) committed(after time.Duration) {
	if m != nil {
		m.commit.Observe(after.Seconds())
	}
}
