package bot

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// What has not happened yet is exported, at 0.
func TestPlatformsFiguresBeginAtZero(t *testing.T) {
	m := NewMetrics()
	m.Platform("slack")
	m.Limited("slack")
	m.Platform("slack") // takes nothing back
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`timonier_errors_total{platform="slack",where="delivery"} 0`, `timonier_rate_limited_total{platform="slack"} 1`,
		`timonier_excess_total{limit="tenant",platform="slack"} 0`, `timonier_announcements_waiting{platform="slack"} 0`,
		`timonier_announcements_total{outcome="dropped",platform="slack"} 0`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Error("no", line)
		}
	}
	(*Metrics)(nil).Platform("slack")
}
