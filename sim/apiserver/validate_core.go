package apiserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the API refuses, in the paths and words of Kubernetes 1.37
// pkg/apis/{core,coordination,scheduling}/validation. Where the real server
// walks a map, and so answers in any order, the order here is that of the keys.

// maxSecretSize is the most bytes of data a Secret or a ConfigMap holds.
const maxSecretSize = 1 << 20

func validateNamespace(n *v1.Namespace) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec", "finalizers")
	for _, f := range n.Spec.Finalizers {
		errs = append(errs, validateNamespaceFinalizer(string(f), path)...)
	}
	return errs
}

func validateNamespaceFinalizer(name string, path *field.Path) field.ErrorList {
	errs := apivalidation.ValidateFinalizerName(name, path)
	standard := name == string(v1.FinalizerKubernetes) || name == "orphan" || name == "foregroundDeletion"
	if !strings.Contains(name, "/") && !standard {
		errs = append(errs, field.Invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
	}
	return errs
}

func validateNamespaceUpdate(new, _ *v1.Namespace) field.ErrorList { return validateNamespace(new) }

func validateNamespaceStatus(new, _ *v1.Namespace) field.ErrorList {
	path := field.NewPath("status", "Phase")
	switch {
	case new.DeletionTimestamp.IsZero() && new.Status.Phase != v1.NamespaceActive:
		return field.ErrorList{field.Invalid(path, new.Status.Phase, "may only be 'Active' if `deletionTimestamp` is empty")}
	case !new.DeletionTimestamp.IsZero() && new.Status.Phase != v1.NamespaceTerminating:
		return field.ErrorList{field.Invalid(path, new.Status.Phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")}
	}
	return nil
}

func validateConfigMap(c *v1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	size := 0
	data, binary := field.NewPath("data"), field.NewPath("binaryData")
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		errs = append(errs, validateDataKey(key, data)...)
		if _, twice := c.BinaryData[key]; twice {
			errs = append(errs, field.Invalid(data.Key(key), key, "duplicate of key present in binaryData"))
		}
		size += len(c.Data[key])
	}
	for _, key := range slices.Sorted(maps.Keys(c.BinaryData)) {
		errs = append(errs, validateDataKey(key, binary)...)
		size += len(c.BinaryData[key])
	}
	if size > maxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath(""), "", maxSecretSize))
	}
	return errs
}

func validateDataKey(key string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsConfigMapKey(key) {
		errs = append(errs, field.Invalid(path.Key(key), key, msg))
	}
	return errs
}

func validateConfigMapUpdate(new, old *v1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	if old.Immutable != nil && *old.Immutable {
		errs = frozen(errs, new.Immutable == nil || !*new.Immutable, "immutable")
		errs = frozen(errs, !maps.Equal(new.Data, old.Data), "data")
		errs = frozen(errs, !reflect.DeepEqual(new.BinaryData, old.BinaryData), "binaryData")
	}
	return append(errs, validateConfigMap(new)...)
}

// frozen refuses a change of an object that its owner made immutable.
func frozen(errs field.ErrorList, changed bool, name string) field.ErrorList {
	if !changed {
		return errs
	}
	return append(errs, field.Forbidden(field.NewPath(name), "field is immutable when `immutable` is set"))
}

func validateSecret(s *v1.Secret) field.ErrorList {
	var errs field.ErrorList
	size := 0
	data := field.NewPath("data")
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		errs = append(errs, validateDataKey(key, data)...)
		size += len(s.Data[key])
	}
	if size > maxSecretSize {
		errs = append(errs, field.TooLong(data, "", maxSecretSize))
	}
	if rule, ok := secretTypes[s.Type]; ok {
		errs = append(errs, rule(s)...)
	}
	return errs
}

// secretTypes are the types that ask for certain keys; any other is free.
var secretTypes = map[v1.SecretType]func(*v1.Secret) field.ErrorList{
	v1.SecretTypeServiceAccountToken: func(s *v1.Secret) field.ErrorList {
		if s.Annotations[v1.ServiceAccountNameKey] != "" {
			return nil
		}
		path := field.NewPath("metadata", "annotations").Key(v1.ServiceAccountNameKey)
		return field.ErrorList{field.Required(path, "")}
	},
	v1.SecretTypeDockercfg: func(s *v1.Secret) field.ErrorList {
		return validateJSONKey(s, v1.DockerConfigKey)
	},
	v1.SecretTypeDockerConfigJson: func(s *v1.Secret) field.ErrorList {
		return validateJSONKey(s, v1.DockerConfigJsonKey)
	},
	v1.SecretTypeBasicAuth: func(s *v1.Secret) field.ErrorList {
		_, user := s.Data[v1.BasicAuthUsernameKey]
		_, password := s.Data[v1.BasicAuthPasswordKey]
		if user || password {
			return nil
		}
		return append(requireKey(s, v1.BasicAuthUsernameKey), requireKey(s, v1.BasicAuthPasswordKey)...)
	},
	v1.SecretTypeSSHAuth: func(s *v1.Secret) field.ErrorList {
		if len(s.Data[v1.SSHAuthPrivateKey]) > 0 {
			return nil
		}
		return field.ErrorList{field.Required(field.NewPath("data").Key(v1.SSHAuthPrivateKey), "")}
	},
	v1.SecretTypeTLS: func(s *v1.Secret) field.ErrorList {
		return append(requireKey(s, v1.TLSCertKey), requireKey(s, v1.TLSPrivateKeyKey)...)
	},
}

func requireKey(s *v1.Secret, key string) field.ErrorList {
	if _, ok := s.Data[key]; ok {
		return nil
	}
	return field.ErrorList{field.Required(field.NewPath("data").Key(key), "")}
}

func validateJSONKey(s *v1.Secret, key string) field.ErrorList {
	if errs := requireKey(s, key); errs != nil {
		return errs
	}
	if err := json.Unmarshal(s.Data[key], &map[string]any{}); err != nil {
		path := field.NewPath("data").Key(key)
		return field.ErrorList{field.Invalid(path, "<secret contents redacted>", err.Error())}
	}
	return nil
}

func validateSecretUpdate(new, old *v1.Secret) field.ErrorList {
	errs := apivalidation.ValidateImmutableField(new.Type, old.Type, field.NewPath("type"))
	if old.Immutable != nil && *old.Immutable {
		errs = frozen(errs, new.Immutable == nil || !*new.Immutable, "immutable")
		errs = frozen(errs, !reflect.DeepEqual(new.Data, old.Data), "data")
	}
	return append(errs, validateSecret(new)...)
}

// systemPriorityClasses are the two that every cluster has.
var systemPriorityClasses = map[string]int32{
	"system-node-critical":    2_000_001_000,
	"system-cluster-critical": 2_000_000_000,
}

const (
	systemPriorityPrefix = "system-"
	// highestUserPriority is the largest value that a priority class of a user may have.
	highestUserPriority = 1_000_000_000
)

func validatePriorityClass(p *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if strings.HasPrefix(p.Name, systemPriorityPrefix) {
		if why := notSystemPriority(p); why != "" {
			errs = append(errs, field.Forbidden(field.NewPath("metadata", "name"),
				"priority class names with '"+systemPriorityPrefix+"' prefix are reserved for system use only. error: "+why))
		}
	} else if p.Value > highestUserPriority {
		errs = append(errs, field.Forbidden(field.NewPath("value"),
			fmt.Sprintf("maximum allowed value of a user defined priority is %v", highestUserPriority)))
	}
	if policy := p.PreemptionPolicy; policy != nil {
		errs = append(errs, oneOf(*policy, field.NewPath("preemptionPolicy"), v1.PreemptLowerPriority, v1.PreemptNever)...)
	}
	return errs
}

// notSystemPriority says why a class is not one of the system's own; "" if it is.
func notSystemPriority(p *schedulingv1.PriorityClass) string {
	value, known := systemPriorityClasses[p.Name]
	switch {
	case !known:
		return fmt.Sprintf("%v is not a known system priority class", p.Name)
	case p.Value != value:
		return fmt.Sprintf("value of %v PriorityClass must be %v", p.Name, value)
	case p.GlobalDefault:
		return fmt.Sprintf("globalDefault of %v PriorityClass must be %v", p.Name, false)
	}
	return ""
}

// oneOf refuses what is not one of the values that an enumeration has; the answer
// names them in the order given.
func oneOf[T ~string](value T, path *field.Path, allowed ...T) field.ErrorList {
	switch {
	case slices.Contains(allowed, value):
		return nil
	case value == "":
		return field.ErrorList{field.Required(path, "")}
	}
	return field.ErrorList{field.NotSupported(path, value, allowed)}
}

func validatePriorityClassUpdate(new, old *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if new.Value != old.Value {
		errs = append(errs, field.Forbidden(field.NewPath("value"), "may not be changed in an update."))
	}
	return append(errs, apivalidation.ValidateImmutableField(new.PreemptionPolicy, old.PreemptionPolicy, field.NewPath("preemptionPolicy"))...)
}

func validateLease(l *coordinationv1.Lease) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec")
	if d := l.Spec.LeaseDurationSeconds; d != nil && *d <= 0 {
		errs = append(errs, field.Invalid(path.Child("leaseDurationSeconds"), d, "must be greater than 0"))
	}
	if t := l.Spec.LeaseTransitions; t != nil && *t < 0 {
		errs = append(errs, field.Invalid(path.Child("leaseTransitions"), t, "must be greater than or equal to 0"))
	}
	return errs
}
