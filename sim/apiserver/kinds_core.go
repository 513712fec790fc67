package apiserver

import (
	"cmp"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// eventTTL is how long an event is kept after its last write: the default of
// kube-apiserver's --event-ttl.
const eventTTL = time.Hour

func namespaceResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("namespaces"),
		Kind:                 "Namespace",
		Singular:             "namespace",
		ShortNames:           []string{"ns"},
		KeyPrefix:            "/registry/namespaces",
		New:                  func() Object { return &v1.Namespace{} },
		NewList:              func() runtime.Object { return &v1.NamespaceList{} },
		Subresources:         []string{"finalize", "status"},

		Default:                act(defaultNamespace),
		PrepareForCreate:       act(prepareNamespace),
		PrepareForUpdate:       actFrom(prepareNamespaceUpdate),
		PrepareForStatusUpdate: actFrom(func(new, old *v1.Namespace) { new.Spec = old.Spec }),
		Validate:               check(validateNamespace),
		ValidateUpdate:         checkFrom(validateNamespaceUpdate),
		ValidateStatus:         checkFrom(validateNamespaceStatus),
		ValidName:              apivalidation.ValidateNamespaceName,
		Terminate:              act(func(n *v1.Namespace) { n.Status.Phase = v1.NamespaceTerminating }),

		Columns: namespaceColumns(),
		Cells:   cells(namespaceCells),
		Fields: selectable(func(n *v1.Namespace) fields.Set {
			// "name" is a mistake of the real server that has to stay.
			return fields.Set{"status.phase": string(n.Status.Phase), "name": n.Name}
		}),
		Unconditional: true,
	}
}

func nodeResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("nodes"),
		Kind:                 "Node",
		Singular:             "node",
		ShortNames:           []string{"no"},
		KeyPrefix:            "/registry/minions",
		New:                  func() Object { return &v1.Node{} },
		NewList:              func() runtime.Object { return &v1.NodeList{} },
		Subresources:         []string{"status"},

		Default: act(defaultNode),
		// A node may be created with a status: that is how a kubelet registers.
		PrepareForCreate:       act(prepareNode),
		PrepareForUpdate:       actFrom(prepareNodeUpdate),
		PrepareForStatusUpdate: actFrom(prepareNodeStatus),
		Validate:               check(validateNode),
		ValidateUpdate:         checkFrom(validateNodeUpdate),
		ValidateStatus:         checkFrom(validateNodeChange),

		Columns: nodeColumns(),
		Cells:   cells(nodeCells),
		Fields: selectable(func(n *v1.Node) fields.Set {
			return fields.Set{"spec.unschedulable": strconv.FormatBool(n.Spec.Unschedulable)}
		}),
		Unconditional: true,
	}
}

func configMapResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("configmaps"),
		Kind:                 "ConfigMap",
		Singular:             "configmap",
		ShortNames:           []string{"cm"},
		Namespaced:           true,
		KeyPrefix:            "/registry/configmaps",
		New:                  func() Object { return &v1.ConfigMap{} },
		NewList:              func() runtime.Object { return &v1.ConfigMapList{} },

		Default:        act(defaultConfigMap),
		Validate:       check(validateConfigMap),
		ValidateUpdate: checkFrom(validateConfigMapUpdate),

		Columns:       configMapColumns(),
		Cells:         cells(configMapCells),
		Unconditional: true,
	}
}

func secretResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("secrets"),
		Kind:                 "Secret",
		Singular:             "secret",
		Namespaced:           true,
		KeyPrefix:            "/registry/secrets",
		New:                  func() Object { return &v1.Secret{} },
		NewList:              func() runtime.Object { return &v1.SecretList{} },

		Default:        act(defaultSecret),
		Validate:       check(validateSecret),
		ValidateUpdate: checkFrom(validateSecretUpdate),

		Columns: secretColumns(),
		Cells:   cells(secretCells),
		Fields: selectable(func(s *v1.Secret) fields.Set {
			return fields.Set{"type": string(s.Type)}
		}),
		Unconditional: true,
	}
}

func serviceAccountResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("serviceaccounts"),
		Kind:                 "ServiceAccount",
		Singular:             "serviceaccount",
		ShortNames:           []string{"sa"},
		Namespaced:           true,
		KeyPrefix:            "/registry/serviceaccounts",
		New:                  func() Object { return &v1.ServiceAccount{} },
		NewList:              func() runtime.Object { return &v1.ServiceAccountList{} },

		Default:          func(Object) {},
		PrepareForCreate: act(keepSecretNames),
		PrepareForUpdate: actFrom(func(new, _ *v1.ServiceAccount) { keepSecretNames(new) }),
		ValidName:        apivalidation.ValidateServiceAccountName,

		Columns:       serviceAccountColumns(),
		Cells:         cells(serviceAccountCells),
		Unconditional: true,
	}
}

func eventResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("events"),
		Kind:                 "Event",
		Singular:             "event",
		ShortNames:           []string{"ev"},
		Namespaced:           true,
		KeyPrefix:            "/registry/events",
		New:                  func() Object { return &v1.Event{} },
		NewList:              func() runtime.Object { return &v1.EventList{} },

		Default:        func(Object) {},
		Validate:       check(validateEvent),
		ValidateUpdate: checkFrom(validateEventUpdate),
		// client-go names events after their object, whose name may be long and odd.
		//lint:ignore SA1019 the real server calls it still
		ValidName: path.ValidatePathSegmentName,

		Columns:        eventColumns(),
		Cells:          cells(eventCells),
		Fields:         selectable(eventFields),
		TTL:            eventTTL,
		Unconditional:  true,
		CreateOnUpdate: true,
	}
}

// eventFields are what `kubectl events --for` and `describe` select by
// (Kubernetes 1.37 pkg/registry/core/event/strategy.go).
func eventFields(e *v1.Event) fields.Set {
	about := e.InvolvedObject
	return fields.Set{
		"involvedObject.kind":            about.Kind,
		"involvedObject.namespace":       about.Namespace,
		"involvedObject.name":            about.Name,
		"involvedObject.uid":             string(about.UID),
		"involvedObject.apiVersion":      about.APIVersion,
		"involvedObject.resourceVersion": about.ResourceVersion,
		"involvedObject.fieldPath":       about.FieldPath,
		"reason":                         e.Reason,
		"reportingComponent":             e.ReportingController,
		"source":                         cmp.Or(e.Source.Component, e.ReportingController),
		"type":                           e.Type,
	}
}

func priorityClassResource() Resource {
	return Resource{
		GroupVersionResource: schedulingv1.SchemeGroupVersion.WithResource("priorityclasses"),
		Kind:                 "PriorityClass",
		Singular:             "priorityclass",
		ShortNames:           []string{"pc"},
		KeyPrefix:            "/registry/priorityclasses",
		New:                  func() Object { return &schedulingv1.PriorityClass{} },
		NewList:              func() runtime.Object { return &schedulingv1.PriorityClassList{} },

		Default:          act(defaultPriorityClass),
		PrepareForCreate: act(func(p *schedulingv1.PriorityClass) { p.Generation = 1 }),
		Validate:         check(validatePriorityClass),
		ValidateUpdate:   checkFrom(validatePriorityClassUpdate),

		Columns:       priorityClassColumns(),
		Cells:         cells(priorityClassCells),
		Unconditional: true,
	}
}

func leaseResource() Resource {
	return Resource{
		GroupVersionResource: coordinationv1.SchemeGroupVersion.WithResource("leases"),
		Kind:                 "Lease",
		Singular:             "lease",
		Namespaced:           true,
		KeyPrefix:            "/registry/leases",
		New:                  func() Object { return &coordinationv1.Lease{} },
		NewList:              func() runtime.Object { return &coordinationv1.LeaseList{} },

		Default:          func(Object) {},
		PrepareForCreate: act(dropLeaseElection),
		PrepareForUpdate: actFrom(keepLeaseElection),
		Validate:         check(validateLease),
		ValidateUpdate:   checkFrom(func(new, _ *coordinationv1.Lease) field.ErrorList { return validateLease(new) }),

		Columns:        leaseColumns(),
		Cells:          cells(leaseCells),
		CreateOnUpdate: true,
	}
}
