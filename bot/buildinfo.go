package bot

import "github.com/prometheus/client_golang/prometheus"

// Built tells which build of the program is counted here: the figure is always 1.
func (m *Metrics) Built(version, revision, toolchain string) {
	if m == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "timonier_build_info",
		Help: "1; which build of the program this is.", ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": toolchain},
	}, func() float64 { return 1 }))
}
