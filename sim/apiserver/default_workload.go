package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Defaulting of ReplicaSets and Deployments, as Kubernetes 1.37
// pkg/apis/apps/v1/defaults.go does. apps/v1 guesses no selector.

func defaultReplicaSet(o Object) {
	rs := o.(*appsv1.ReplicaSet)
	orElsePtr(&rs.Spec.Replicas, 1)
	defaultPodSpec(&rs.Spec.Template.Spec)
}

func defaultDeployment(o Object) {
	d := o.(*appsv1.Deployment)
	orElsePtr(&d.Spec.Replicas, 1)
	orElsePtr(&d.Spec.RevisionHistoryLimit, 10)
	orElsePtr(&d.Spec.ProgressDeadlineSeconds, 600)
	defaultPodSpec(&d.Spec.Template.Spec)

	strategy := &d.Spec.Strategy
	orElse(&strategy.Type, appsv1.RollingUpdateDeploymentStrategyType)
	if strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		return
	}
	if strategy.RollingUpdate == nil {
		strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{}
	}
	orElsePtr(&strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
	orElsePtr(&strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
}
