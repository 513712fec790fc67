// Package scheduler is the simulated kube-scheduler: the default profile of
// Kubernetes 1.37 without the plugins that concern volumes and devices.
//
// It has two halves. The algorithm is pure: a Snapshot of a cluster and a pod go
// in, a Verdict comes out, with every refusal and every figure behind every score.
// The Scheduler around it is the component: queues, backoff, assumed pods,
// binding, preemption, events.
//
// Filters and scores give the figures of the real scheduler, in its integers.
// What it does not do: volumes, device claims, pod groups, features that nodes
// declare, extenders, several profiles, resizing in place, and the reuse of a decision for
// identical pods (which built-in spreading rules out in the real one too). It never moves a running pod, and it tells no
// stories: sentences about a Verdict are made elsewhere.
package scheduler
