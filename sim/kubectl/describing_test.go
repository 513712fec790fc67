package kubectl

import "testing"

func TestLimitsAreDescribedInOrder(t *testing.T) {
	const head = "Name:  lr\nType        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio\n----        --------  ---  ---  ---------------  -------------  -----------------------\n"
	got := orderLimits(head + "Pod         memory    -    1    -  -  -\nPod         cpu    -    1    -  -  -\nContainer   b  -  -  -  -  -\nContainer   a  -  -  -  -  -\n\nb\na\n")
	want := head + "Pod         cpu    -    1    -  -  -\nPod         memory    -    1    -  -  -\nContainer   a  -  -  -  -  -\nContainer   b  -  -  -  -  -\n\nb\na\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
