package kubectl

import (
	"context"
	"strings"
	"testing"
	"time"

	"timonier/sim"
)

// Where nothing runs there is no metrics server: an autoscaler raises its target to its minimum, and then says why it can do no more.
func TestAutoscalingWithoutMetrics(t *testing.T) {
	c, err := sim.New(sim.Config{Hollow: true})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(line string) string {
		r := Run(context.Background(), c, strings.Fields(line), "")
		return r.Stdout + r.Stderr
	}
	ask("create deployment web --image=nginx")
	ask("autoscale deployment web --min=2 --max=4 --cpu=80%")
	if err := c.AdvanceTo(c.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := ask("get hpa --no-headers") + ask("get hpa web -o jsonpath={.status.conditions[*].reason}") + "\n" +
		ask("get events --field-selector involvedObject.kind=HorizontalPodAutoscaler -o custom-columns=R:.reason,M:.message --no-headers") + ask("top pods")
	want := `web   Deployment/web   cpu: <unknown>/80%   2     4     2     20s
SucceededGetScale NotScaledToZero FailedGetResourceMetric
SuccessfulRescale              New size: 2; reason: Current number of replicas below Spec.MinReplicas
FailedGetResourceMetric        failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
FailedComputeMetricsReplicas   invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
error: Metrics API not available
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
