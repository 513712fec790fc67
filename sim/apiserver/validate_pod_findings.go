package apiserver

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// findings gathers what is wrong with a pod or a workload, in the order in which
// the real server finds it (Kubernetes 1.37 pkg/apis/core/validation). Where that
// order is random, as that of the resources of a container, it is alphabetical.
type findings struct {
	errs field.ErrorList
	// aPod is false in a template, which some rules spare.
	aPod bool
}

func (f *findings) add(errs ...*field.Error) { f.errs = append(f.errs, errs...) }

// addInOrder sorts what a library found in a map, and says of one and the same field.
func (f *findings) addInOrder(errs field.ErrorList) {
	for len(errs) > 0 {
		n := 1
		for n < len(errs) && errs[n].Field == errs[0].Field {
			n++
		}
		same := errs[:n]
		slices.SortFunc(same, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })
		f.add(same...)
		errs = errs[n:]
	}
}

func (f *findings) required(at *field.Path, detail string)  { f.add(field.Required(at, detail)) }
func (f *findings) forbidden(at *field.Path, detail string) { f.add(field.Forbidden(at, detail)) }
func (f *findings) duplicate(at *field.Path, value any)     { f.add(field.Duplicate(at, value)) }
func (f *findings) invalid(at *field.Path, value any, detail string) {
	f.add(field.Invalid(at, value, detail))
}

// need finds the empty ones of fields given by name and value.
func (f *findings) need(at *field.Path, namesAndValues ...string) {
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] == "" {
			f.required(at.Child(namesAndValues[i]), "")
		}
	}
}

// invalidFor each message; none, none.
func (f *findings) invalidFor(at *field.Path, value any, messages []string) {
	for _, m := range messages {
		f.invalid(at, value, m)
	}
}

func (f *findings) nonNegative(at *field.Path, value int64) {
	f.add(validation.ValidateNonnegativeField(value, at)...)
}

func (f *findings) positive(at *field.Path, value int64) {
	if value <= 0 {
		f.invalid(at, value, "must be greater than zero")
	}
}

func (f *findings) nonNegativeQuantity(at *field.Path, q resource.Quantity) {
	if q.Sign() < 0 {
		f.invalid(at, q.String(), validation.IsNegativeErrorMsg)
	}
}

func (f *findings) label(at *field.Path, value string) {
	f.invalidFor(at, value, utilvalidation.IsDNS1123Label(value))
}

func (f *findings) subdomain(at *field.Path, value string) {
	f.invalidFor(at, value, utilvalidation.IsDNS1123Subdomain(value))
}

func (f *findings) qualifiedName(at *field.Path, value string) {
	f.invalidFor(at, value, utilvalidation.IsQualifiedName(value))
}

// among finds a value outside the supported ones, which are given in the order
// that the message lists them.
func among[T ~string](f *findings, at *field.Path, value T, supported ...T) {
	if !slices.Contains(supported, value) {
		f.add(field.NotSupported(at, value, supported))
	}
}

// requiredAmong also finds an empty value, missing.
func requiredAmong[T ~string](f *findings, at *field.Path, value T, supported ...T) {
	if value == "" {
		f.required(at, "")
		return
	}
	among(f, at, value, supported...)
}

// optionalAmong spares what is not set.
func optionalAmong[T ~string](f *findings, at *field.Path, value *T, supported ...T) {
	if value != nil {
		among(f, at, *value, supported...)
	}
}

// eachContainer visits the init containers, the containers and the ephemeral
// containers, each with its path.
func eachContainer(spec *v1.PodSpec, at *field.Path, visit func(*v1.Container, *field.Path)) {
	for i := range spec.InitContainers {
		visit(&spec.InitContainers[i], at.Child("initContainers").Index(i))
	}
	for i := range spec.Containers {
		visit(&spec.Containers[i], at.Child("containers").Index(i))
	}
	for i := range spec.EphemeralContainers {
		c := (*v1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon)
		visit(c, at.Child("ephemeralContainers").Index(i))
	}
}
