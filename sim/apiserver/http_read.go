package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"timonier/sim/etcd"
)

// getObject is GET of one object, or of its status.
func (x *exchange) getObject() (reply, error) {
	var opts metav1.GetOptions
	if err := options(x.query, &opts); err != nil {
		return reply{}, err
	}
	if err := x.server.notAhead(opts.ResourceVersion); err != nil {
		return reply{}, err
	}
	o, err := x.read()
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusOK, object: o}, nil
}

// read is the object that the path names. That there is none is an answer, not a refusal worth a step in the trace:
// kubectl asks before it creates.
func (x *exchange) read() (Object, error) {
	r := x.request("get")
	if err := x.server.begin(r); err != nil {
		return nil, err
	}
	o, ok := x.server.caches[x.resource].get(r.namespace, r.name)
	if !ok {
		return nil, notFound(r)
	}
	return x.server.live(o), nil
}

// listing is the answer to a list.
type listing struct {
	metav1.ListMeta
	items []Object
}

// selection is which objects a list or a watch wants.
type selection struct {
	labels    labels.Selector
	fields    fields.Selector
	resource  *Resource
	namespace string
}

func (sel *selection) matches(o Object) bool {
	if sel.namespace != "" && o.GetNamespace() != sel.namespace {
		return false
	}
	if sel.labels != nil && !sel.labels.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	return sel.fields == nil || sel.fields.Empty() || sel.fields.Matches(sel.resource.fieldsOf(o))
}

func (sel *selection) everything() bool {
	return (sel.labels == nil || sel.labels.Empty()) && (sel.fields == nil || sel.fields.Empty())
}

// fieldsOf are all fields that a selector may name, with an object's values.
func (r *Resource) fieldsOf(o Object) fields.Set {
	set := fields.Set{"metadata.name": o.GetName()}
	if r.Namespaced {
		set["metadata.namespace"] = o.GetNamespace()
	}
	if r.Fields != nil {
		for k, v := range r.Fields(o) {
			set[k] = v
		}
	}
	return set
}

// listOptions reads and checks the options of a list or a watch.
func (x *exchange) listOptions() (*internalversion.ListOptions, *selection, error) {
	opts := &internalversion.ListOptions{}
	if err := options(x.query, opts); err != nil {
		return nil, nil, err
	}
	internalversion.SetListOptionsDefaults(opts, true)
	if errs := metavalidation.ValidateListOptions(opts, true); len(errs) > 0 {
		return nil, nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", errs)
	}
	sel := &selection{labels: opts.LabelSelector, fields: opts.FieldSelector, resource: x.resource, namespace: x.at.namespace}
	if err := x.resource.checkFields(sel.fields); err != nil {
		return nil, nil, err
	}
	if x.at.name != "" { // a watch of one object by the old path
		sel.fields = fields.OneTermEqualSelector("metadata.name", x.at.name)
	}
	return opts, sel, nil
}

// checkFields refuses fields that the resource does not let select.
func (r *Resource) checkFields(sel fields.Selector) error {
	if sel == nil {
		return nil
	}
	known := fields.Set{"metadata.name": "", "metadata.namespace": ""}
	if r.Fields != nil {
		for k := range r.Fields(r.New()) {
			known[k] = ""
		}
	}
	for _, req := range sel.Requirements() {
		if known.Has(req.Field) {
			continue
		}
		if r.Fields != nil {
			return apierrors.NewBadRequest("field label not supported: " + req.Field)
		}
		return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", req.Field, "metadata.name", "metadata.namespace"))
	}
	return nil
}

// listObjects is GET of a collection.
func (x *exchange) listObjects() (reply, error) {
	opts, sel, err := x.listOptions()
	if err != nil {
		return reply{}, err
	}
	if err := x.server.begin(x.request("list")); err != nil {
		return reply{}, err
	}
	page, err := x.server.page(opts, sel)
	if err != nil {
		return reply{}, err
	}
	return reply{code: http.StatusOK, list: page}, nil
}

// page is a list, or a part of one that comes in parts.
func (s *Server) page(opts *internalversion.ListOptions, sel *selection) (*listing, error) {
	prefix := sel.resource.KeyPrefix + "/"
	rev, from, err := s.listFrom(opts, prefix)
	if err != nil {
		return nil, err
	}
	found, err := s.asOf(rev, prefix, from, sel)
	if err != nil {
		return nil, listError(err, opts, from, prefix)
	}
	page := &listing{items: found}
	if rev <= 0 {
		rev = s.Revision()
	}
	page.ResourceVersion = strconv.FormatInt(rev, 10)
	if n := int(opts.Limit); n > 0 && len(found) > n {
		page.items = found[:n]
		last := sel.resource.key(found[n-1].GetNamespace(), found[n-1].GetName())
		page.Continue = continueFrom(strings.TrimPrefix(last, prefix)+"\x00", rev)
		if sel.everything() {
			left := int64(len(found) - n)
			page.RemainingItemCount = &left
		}
	}
	return page, nil
}

// listFrom is the revision a list is to show (0: the present; -1: the present, though a list in parts had begun at
// another), and the key from which on.
func (s *Server) listFrom(opts *internalversion.ListOptions, prefix string) (rev int64, from string, err error) {
	if opts.Continue != "" {
		if opts.ResourceVersion != "" && opts.ResourceVersion != "0" {
			return 0, "", apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		rev, start, err := decodeContinue(opts.Continue)
		if err != nil {
			return 0, "", apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: %v", err))
		}
		if rev > 0 {
			if err := s.notAhead(strconv.FormatInt(rev, 10)); err != nil { // it was another cluster's
				return 0, "", err
			}
		}
		return rev, prefix + start, nil
	}
	if err := s.notAhead(opts.ResourceVersion); err != nil {
		return 0, "", err
	}
	asked, _ := strconv.ParseInt(opts.ResourceVersion, 10, 64)
	exact := opts.ResourceVersionMatch == metav1.ResourceVersionMatchExact ||
		opts.ResourceVersionMatch == "" && opts.Limit > 0 && asked > 0
	if exact {
		return asked, prefix, nil
	}
	return 0, prefix, nil
}

// notAhead refuses a resourceVersion that is no number, or that the store has not reached.
func (s *Server) notAhead(version string) error {
	if version == "" {
		return nil
	}
	rev, err := strconv.ParseUint(version, 10, 63)
	if err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("Invalid value: %q: %v", version, err))
	}
	if now := s.Revision(); int64(rev) > now {
		err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", rev, now), 1) // see isAhead
		err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
		return err
	}
	return nil
}

// isAhead says that a refusal is notAhead's, which goes without the header Retry-After. The real server lags behind its store at times,
// and has clients wait for it; client-go does so ten times, a second each, before its reflector lists anew. Here the store lags behind
// nothing: whoever asks for what it has not reached knows another cluster than the one that is here now, as one was reset.
func isAhead(s *metav1.Status) bool {
	return s.Details != nil && slices.ContainsFunc(s.Details.Causes, func(c metav1.StatusCause) bool {
		return c.Type == metav1.CauseTypeResourceVersionTooLarge
	})
}

// asOf are the matching objects at a revision, from a key on, in key order.
func (s *Server) asOf(rev int64, prefix, from string, sel *selection) ([]Object, error) {
	if rev <= 0 || rev == s.Revision() {
		all := s.caches[sel.resource].in(sel.namespace)
		found := make([]Object, 0, len(all))
		for _, o := range all {
			if from > prefix && sel.resource.key(o.GetNamespace(), o.GetName()) < from {
				continue
			}
			if o = s.live(o); sel.matches(o) {
				found = append(found, o)
			}
		}
		return found, nil
	}
	got, err := s.cfg.Store.Range(from, etcd.PrefixEnd(prefix), etcd.RangeOptions{Rev: rev})
	if err != nil {
		return nil, err
	}
	var found []Object
	for _, kv := range got.KVs {
		o, err := s.decode(sel.resource, kv)
		if err != nil {
			return nil, fmt.Errorf("decode %s: %w", kv.Key, err)
		}
		if o = s.live(o); sel.matches(o) {
			found = append(found, o)
		}
	}
	return found, nil
}

// What the real server says of a list whose revision is forgotten (apiserver's pkg/storage/etcd3/errors.go).
const (
	listExpired     = "The resourceVersion for the provided list is too old."
	continueExpired = "The provided continue parameter is too old to display a consistent list result. " +
		"You can start a new list without the continue parameter, or use the continue token in this response to " +
		"retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - " +
		"objects that were created, modified, or deleted between the time the first chunk was returned and now may " +
		"show up in the list."
)

func listError(err error, opts *internalversion.ListOptions, from, prefix string) error {
	if err != etcd.ErrCompacted {
		return apierrors.NewInternalError(err)
	}
	if opts.Continue == "" {
		return apierrors.NewResourceExpired(listExpired)
	}
	expired := apierrors.NewResourceExpired(continueExpired)
	expired.ErrStatus.ListMeta.Continue = continueFrom(strings.TrimPrefix(from, prefix), -1)
	return expired
}

// continueToken is where a list in parts goes on, encoded as the real server does (apiserver's pkg/storage/continue.go).
type continueToken struct {
	APIVersion      string `json:"v"`
	ResourceVersion int64  `json:"rv"` // -1: whatever the present is
	StartKey        string `json:"start"`
}

func continueFrom(key string, rev int64) string {
	// A struct of strings and numbers always encodes.
	data, _ := json.Marshal(continueToken{"meta.k8s.io/v1", rev, key})
	return base64.RawURLEncoding.EncodeToString(data)
}

func decodeContinue(token string) (rev int64, start string, err error) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, "", fmt.Errorf("continue key is not valid: %w", err)
	}
	var c continueToken
	if err := json.Unmarshal(data, &c); err != nil {
		return 0, "", fmt.Errorf("continue key is not valid: %w", err)
	}
	switch {
	case c.APIVersion != "meta.k8s.io/v1":
		return 0, "", fmt.Errorf("continue key is not valid: server does not recognize this encoded version %s", c.APIVersion)
	case c.ResourceVersion == 0:
		return 0, "", fmt.Errorf("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
	case c.StartKey == "":
		return 0, "", fmt.Errorf("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)")
	}
	// A key never leaves its resource's place.
	if clean := path.Clean("/" + c.StartKey); clean != "/"+c.StartKey {
		return 0, "", fmt.Errorf("continue key is not valid: %s", c.StartKey)
	}
	return c.ResourceVersion, c.StartKey, nil
}
