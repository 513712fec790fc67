package apiserver

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The most bytes an event may have in its parts, as Kubernetes 1.37
// pkg/apis/core/validation/events.go has them.
const (
	maxEventWord = 128 // action, reason, reporting instance
	maxEventNote = 1024
)

// validateEvent: an event without an eventTime is of the old sort, of which only
// the namespace is checked.
func validateEvent(e *v1.Event) field.ErrorList {
	var errs field.ErrorList
	about := e.InvolvedObject.Namespace
	mismatch := func() {
		errs = append(errs, field.Invalid(field.NewPath("involvedObject", "namespace"), about, "does not match event.namespace"))
	}
	if e.EventTime.IsZero() {
		if about != e.Namespace && (about != "" || e.Namespace != metav1.NamespaceDefault) {
			mismatch()
		}
		return errs
	}
	if about == "" && e.Namespace != metav1.NamespaceDefault && e.Namespace != metav1.NamespaceSystem {
		mismatch()
	}
	reporter := field.NewPath("reportingComponent")
	if e.ReportingController == "" {
		errs = append(errs, field.Required(reporter, ""))
	}
	for _, msg := range validation.IsQualifiedName(e.ReportingController) {
		errs = append(errs, field.Invalid(reporter, e.ReportingController, msg))
	}
	errs = append(errs, validateEventWord("reportingInstance", e.ReportingInstance)...)
	errs = append(errs, validateEventWord("action", e.Action)...)
	errs = append(errs, validateEventWord("reason", e.Reason)...)
	return append(errs, atMost("message", e.Message, maxEventNote)...)
}

func validateEventWord(name, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(field.NewPath(name), "")}
	}
	return atMost(name, value, maxEventWord)
}

func atMost(name, value string, limit int) field.ErrorList {
	if len(value) <= limit {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath(name), "", fmt.Sprintf("can have at most %v characters", limit))}
}

func validateEventUpdate(new, _ *v1.Event) field.ErrorList { return validateEvent(new) }
