// Package kubelet is the simulated kubelet with the container runtime under it:
// the life of pods on one node. It sees the pods bound to its node, pulls images,
// starts, probes, restarts and stops containers as their images' data and their
// specs say, and reports in the pods' status and in events, worded as Kubernetes
// 1.37 words them. It starts no process, schedules nothing, and keeps no time of
// its own: while nothing is going to change it has no task due, and probes and
// heartbeats are implied.
package kubelet
