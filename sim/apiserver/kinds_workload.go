package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
)

// replicaSetResource is the row of ReplicaSets. Its strategy is that of
// Kubernetes 1.37 pkg/registry/apps/replicaset/strategy.go.
func replicaSetResource() Resource {
	return Resource{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("replicasets"),
		Kind:                 "ReplicaSet",
		Singular:             "replicaset",
		ShortNames:           []string{"rs"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/replicasets",

		New:     func() Object { return &appsv1.ReplicaSet{} },
		NewList: func() runtime.Object { return &appsv1.ReplicaSetList{} },

		Subresources: []string{"status", "scale"},

		Default: defaultReplicaSet,
		PrepareForCreate: func(o Object) {
			rs := o.(*appsv1.ReplicaSet)
			rs.Status = appsv1.ReplicaSetStatus{}
			rs.Generation = 1
			dropAlphaPodFields(&rs.Spec.Template.Spec, rs.Spec.Template.Annotations)
		},
		PrepareForUpdate: func(o, before Object) {
			rs, old := o.(*appsv1.ReplicaSet), before.(*appsv1.ReplicaSet)
			rs.Status = old.Status
			dropAlphaPodFields(&rs.Spec.Template.Spec, rs.Spec.Template.Annotations)
			if !equality.Semantic.DeepEqual(rs.Spec, old.Spec) {
				rs.Generation = old.Generation + 1
			}
		},
		PrepareForStatusUpdate: func(o, before Object) {
			rs, old := o.(*appsv1.ReplicaSet), before.(*appsv1.ReplicaSet)
			rs.Spec = old.Spec
		},

		Validate:       validateReplicaSet,
		ValidateUpdate: validateReplicaSetUpdate,
		ValidateStatus: validateReplicaSetStatus,

		Columns: replicaSetColumns(),
		Cells:   replicaSetCells,

		Unconditional: true,
	}
}

// deploymentResource is the row of Deployments. Its strategy is that of
// Kubernetes 1.37 pkg/registry/apps/deployment/strategy.go.
func deploymentResource() Resource {
	return Resource{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("deployments"),
		Kind:                 "Deployment",
		Singular:             "deployment",
		ShortNames:           []string{"deploy"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/deployments",

		New:     func() Object { return &appsv1.Deployment{} },
		NewList: func() runtime.Object { return &appsv1.DeploymentList{} },

		Subresources: []string{"status", "scale"},

		Default: defaultDeployment,
		PrepareForCreate: func(o Object) {
			d := o.(*appsv1.Deployment)
			d.Status = appsv1.DeploymentStatus{}
			d.Generation = 1
			dropAlphaPodFields(&d.Spec.Template.Spec, d.Spec.Template.Annotations)
		},
		PrepareForUpdate: func(o, before Object) {
			d, old := o.(*appsv1.Deployment), before.(*appsv1.Deployment)
			d.Status = old.Status
			dropAlphaPodFields(&d.Spec.Template.Spec, d.Spec.Template.Annotations)
			// Annotations count too: the controller copies them to its ReplicaSets.
			if !equality.Semantic.DeepEqual(d.Spec, old.Spec) || !equality.Semantic.DeepEqual(d.Annotations, old.Annotations) {
				d.Generation = old.Generation + 1
			}
		},
		PrepareForStatusUpdate: func(o, before Object) {
			d, old := o.(*appsv1.Deployment), before.(*appsv1.Deployment)
			d.Spec = old.Spec
			d.Labels = old.Labels
		},

		Validate:       validateDeployment,
		ValidateUpdate: validateDeploymentUpdate,
		ValidateStatus: validateDeploymentStatus,

		Columns: deploymentColumns(),
		Cells:   deploymentCells,

		Unconditional: true,
	}
}
