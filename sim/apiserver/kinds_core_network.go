package apiserver

//lint:file-ignore SA1019 what is deprecated in the API is still served by it

import (
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func serviceResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("services"),
		Kind:                 "Service",
		Singular:             "service",
		ShortNames:           []string{"svc"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/services/specs",
		New:                  func() Object { return &v1.Service{} },
		NewList:              func() runtime.Object { return &v1.ServiceList{} },
		Subresources:         []string{"status"},

		Default:                act(defaultService),
		PrepareForCreate:       act(func(s *v1.Service) { s.Status = v1.ServiceStatus{} }),
		PrepareForUpdate:       actFrom(prepareServiceUpdate),
		PrepareForStatusUpdate: actFrom(func(new, old *v1.Service) { new.Spec = old.Spec }),
		Validate:               check(validateService),
		ValidateUpdate:         checkFrom(validateServiceUpdate),
		ValidateStatus:         checkFrom(validateServiceStatus),
		Allocate: func(s *Server, new, old Object) field.ErrorList {
			before, _ := old.(*v1.Service)
			return allocateService(new.(*v1.Service), before, List[*v1.Service](s.Client(User{}), ""), s.cfg.Rand.IntN)
		},
		// Since 1.37 (RelaxedServiceNameValidation) a service may start with a digit: 1web.
		ValidName: apivalidation.NameIsDNSLabel,

		Columns: serviceColumns(),
		Cells:   cells(serviceCells),
		Fields: selectable(func(s *v1.Service) fields.Set {
			return fields.Set{"spec.clusterIP": s.Spec.ClusterIP, "spec.type": string(s.Spec.Type)}
		}),
		Unconditional:  true,
		CreateOnUpdate: true,
	}
}

func endpointsResource() Resource {
	return Resource{
		GroupVersionResource: v1.SchemeGroupVersion.WithResource("endpoints"),
		Deprecated:           "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
		Kind:                 "Endpoints",
		Singular:             "endpoints",
		ShortNames:           []string{"ep"},
		Namespaced:           true,
		KeyPrefix:            "/registry/services/endpoints",
		New:                  func() Object { return &v1.Endpoints{} },
		NewList:              func() runtime.Object { return &v1.EndpointsList{} },

		Default:        act(defaultEndpoints),
		Validate:       check(validateEndpoints),
		ValidateUpdate: checkFrom(validateEndpointsUpdate),

		Columns:        endpointsColumns(),
		Cells:          cells(endpointsCells),
		Unconditional:  true,
		CreateOnUpdate: true,
	}
}

func endpointSliceResource() Resource {
	return Resource{
		GroupVersionResource: discoveryv1.SchemeGroupVersion.WithResource("endpointslices"),
		Kind:                 "EndpointSlice",
		Singular:             "endpointslice",
		Namespaced:           true,
		KeyPrefix:            "/registry/endpointslices",
		New:                  func() Object { return &discoveryv1.EndpointSlice{} },
		NewList:              func() runtime.Object { return &discoveryv1.EndpointSliceList{} },

		Default:          act(defaultEndpointSlice),
		PrepareForCreate: act(prepareEndpointSlice),
		PrepareForUpdate: actFrom(prepareEndpointSliceUpdate),
		Validate:         check(validateEndpointSlice),
		ValidateUpdate:   checkFrom(validateEndpointSliceUpdate),

		Columns:       endpointSliceColumns(),
		Cells:         cells(endpointSliceCells),
		Unconditional: true,
	}
}
