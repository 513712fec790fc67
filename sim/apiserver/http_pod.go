package apiserver

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// success is the answer to what creates no object.
func success() *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusSuccess, Code: http.StatusCreated,
	}
}

// decodeSub reads the body of a POST to a subresource of a pod, whose name is that of the pod.
func (x *exchange) decodeSub(gvk schema.GroupVersionKind, into Object) (writing, error) {
	body, err := x.body()
	if err != nil {
		return writing{}, err
	}
	var opts metav1.CreateOptions
	if err := options(x.query, &opts); err != nil {
		return writing{}, err
	}
	if err := invalidOptions("CreateOptions", metav1validation.ValidateCreateOptions(&opts)); err != nil {
		return writing{}, err
	}
	w := x.writing(opts.FieldManager, opts.FieldValidation, opts.DryRun)
	if err := x.decode(body, gvk, into, w.validation); err != nil {
		return writing{}, err
	}
	if name := into.GetName(); name != "" && name != x.at.name {
		return writing{}, apierrors.NewBadRequest("name in URL does not match name in " + gvk.Kind + " object")
	}
	return w, nil
}

// createBinding is POST to pods/NAME/binding: how a scheduler from outside places a pod.
func (x *exchange) createBinding() (reply, error) {
	b := &corev1.Binding{}
	w, err := x.decodeSub(corev1.SchemeGroupVersion.WithKind("Binding"), b)
	if err != nil {
		return reply{}, err
	}
	r := x.request("create")
	r.dryRun = w.dryRun
	if _, err := x.server.bind(r, b); err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusCreated, object: success()}, nil
}

// createEviction is POST to pods/NAME/eviction: a deletion that asks the pod's disruption budget.
func (x *exchange) createEviction() (reply, error) {
	e := &policyv1.Eviction{}
	w, err := x.decodeSub(policyv1.SchemeGroupVersion.WithKind("Eviction"), e)
	if err != nil {
		return reply{}, err
	}
	opts := e.DeleteOptions
	if opts == nil {
		opts = &metav1.DeleteOptions{}
	}
	if err := invalidOptions("DeleteOptions", metav1validation.ValidateDeleteOptions(opts)); err != nil {
		return reply{}, err
	}
	r := x.request("create")
	r.dryRun = w.dryRun || len(opts.DryRun) > 0
	severe, err := x.server.evict(r, opts)
	if err != nil {
		return reply{}, err
	}
	if severe != nil {
		return reply{code: http.StatusCreated, object: severe}, nil
	}
	return reply{code: http.StatusCreated, object: success()}, nil
}

// getLog is GET of pods/NAME/log: text, as far as the container has written it.
func (x *exchange) getLog() (reply, error) {
	o, err := x.read()
	if err != nil {
		return reply{}, err
	}
	opts, err := x.logOptions(o.(*corev1.Pod))
	if err != nil {
		return reply{}, err
	}
	if x.server.cfg.Logs == nil || o.(*corev1.Pod).Spec.NodeName == "" {
		return reply{code: http.StatusOK, text: []byte{}}, nil
	}
	text, err := x.server.cfg.Logs(x.at.namespace, x.at.name, opts)
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusOK, text: append([]byte{}, text...)}, nil
}

// logOptions reads and checks v1.PodLogOptions (registry/core/pod/strategy.go, LogLocation).
func (x *exchange) logOptions(pod *corev1.Pod) (LogOptions, error) {
	opts := LogOptions{Container: x.query.Get("container")}
	var names, others []string
	for _, c := range pod.Spec.Containers {
		names = append(names, c.Name)
	}
	for _, c := range pod.Spec.InitContainers {
		others = append(others, c.Name)
	}
	switch {
	case opts.Container == "" && len(names) == 1:
		opts.Container = names[0]
	case opts.Container == "":
		text := fmt.Sprintf("a container name must be specified for pod %s, choose one of: [%s]", pod.Name, strings.Join(names, " "))
		if len(others) > 0 {
			text += fmt.Sprintf(" or one of the init containers: [%s]", strings.Join(others, " "))
		}
		return opts, apierrors.NewBadRequest(text)
	case !slices.Contains(names, opts.Container) && !slices.Contains(others, opts.Container):
		return opts, apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", opts.Container, pod.Name))
	}
	opts.Previous, _ = strconv.ParseBool(x.query.Get("previous"))
	opts.Timestamps, _ = strconv.ParseBool(x.query.Get("timestamps"))
	opts.Tail, opts.LimitBytes = x.number("tailLines"), x.number("limitBytes")
	seconds := x.number("sinceSeconds")
	if errs := invalidLogOptions(opts, seconds, x.query.Get("sinceTime")); len(errs) > 0 {
		return opts, apierrors.NewInvalid(schema.GroupKind{Kind: "PodLogOptions"}, pod.Name, errs)
	}
	if seconds != nil {
		since := time.Duration(min(*seconds, math.MaxInt64/int64(time.Second))) * time.Second
		opts.Since = &since
	}
	if at, err := time.Parse(time.RFC3339, x.query.Get("sinceTime")); err == nil {
		since := x.server.Now().Sub(at)
		opts.Since = &since
	}
	return opts, nil
}

// invalidLogOptions is ValidatePodLogOptions of the real server (pkg/apis/core/validation).
func invalidLogOptions(opts LogOptions, seconds *int64, at string) (errs field.ErrorList) {
	if opts.Tail != nil && *opts.Tail < 0 {
		errs = append(errs, field.Invalid(field.NewPath("tailLines"), *opts.Tail, "must be greater than or equal to 0"))
	}
	if opts.LimitBytes != nil && *opts.LimitBytes < 1 {
		errs = append(errs, field.Invalid(field.NewPath("limitBytes"), *opts.LimitBytes, "must be greater than 0"))
	}
	switch {
	case seconds != nil && at != "":
		errs = append(errs, field.Forbidden(field.NewPath(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
	case seconds != nil && *seconds < 1:
		errs = append(errs, field.Invalid(field.NewPath("sinceSeconds"), *seconds, "must be greater than 0"))
	}
	return errs
}

// number is a whole number in the query; nil: there is none.
func (x *exchange) number(name string) *int64 {
	n, err := strconv.ParseInt(x.query.Get(name), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}
