package bot

import (
	"strings"
	"testing"
)

// TestRemedyThatWorks: the command that is offered does what it promises.
func TestRemedyThatWorks(t *testing.T) {
	s := newStage(t, "en")
	s.ask("/kubectl label nodes node-1 disk=hdd")
	s.ask("/kubectl create -f -\n" + `
apiVersion: v1
kind: Pod
metadata: {name: picky}
spec: {nodeSelector: {disk: ssd}, containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: named}
spec: {nodeSelector: {kubernetes.io/hostname: node-9}, containers: [{name: c, image: nginx}]}
`)
	if got := plainText(s.ask("/why picky")); !strings.Contains(got, "`kubectl label nodes node-1 disk=ssd --overwrite`") || !strings.Contains(got, "`kubectl label nodes node-2 disk=ssd`") {
		t.Errorf("no label to put on:\n%s", got)
	}
	if got := plainText(s.ask("/why named")); strings.Contains(got, "kubectl label") {
		t.Errorf("a node is to take another's name:\n%s", got)
	}
}
