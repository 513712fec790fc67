package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Defaulting of workloads, as Kubernetes 1.37
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

func defaultDaemonSet(d *appsv1.DaemonSet) {
	orElsePtr(&d.Spec.RevisionHistoryLimit, 10)
	defaultPodSpec(&d.Spec.Template.Spec)
	setTemplateGeneration(d, templateGeneration(d))

	strategy := &d.Spec.UpdateStrategy
	orElse(&strategy.Type, appsv1.RollingUpdateDaemonSetStrategyType)
	if strategy.Type != appsv1.RollingUpdateDaemonSetStrategyType {
		return
	}
	if strategy.RollingUpdate == nil {
		strategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{}
	}
	orElsePtr(&strategy.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
	orElsePtr(&strategy.RollingUpdate.MaxSurge, intstr.FromInt32(0))
}

func defaultStatefulSet(s *appsv1.StatefulSet) {
	spec := &s.Spec
	orElsePtr(&spec.Replicas, 1)
	orElsePtr(&spec.RevisionHistoryLimit, 10)
	orElse(&spec.PodManagementPolicy, appsv1.OrderedReadyPodManagement)
	defaultPodSpec(&spec.Template.Spec)

	strategy := &spec.UpdateStrategy
	if strategy.Type == "" {
		strategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
		if strategy.RollingUpdate == nil {
			strategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{}
		}
	}
	if strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && strategy.RollingUpdate != nil {
		orElsePtr(&strategy.RollingUpdate.Partition, 0)
		orElsePtr(&strategy.RollingUpdate.MaxUnavailable, intstr.FromInt32(1))
	}

	if spec.PersistentVolumeClaimRetentionPolicy == nil {
		spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{}
	}
	orElse(&spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	orElse(&spec.PersistentVolumeClaimRetentionPolicy.WhenScaled, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	for i := range spec.VolumeClaimTemplates {
		claim := &spec.VolumeClaimTemplates[i]
		claim.APIVersion, claim.Kind = "v1", "PersistentVolumeClaim"
		defaultClaim(claim)
	}
}
