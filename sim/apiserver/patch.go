package apiserver

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// maxPatchOps bounds a JSON patch, as the real server does, and maxCopied the bytes that its steps "copy" add: each can double an object.
const (
	maxPatchOps = 10000
	maxCopied   = 3 << 20
)

// boundCopies sets, once in the life of the program, what the library of JSON patches keeps in a global, as the real server does
// (pkg/server/config.go, JSONPatchMaxCopyBytes). kubectl patch --local goes by it too.
var boundCopies = sync.OnceFunc(func() { jsonpatch.AccumulatedCopySizeLimit = maxCopied })

// patch is the body of a PATCH with its options.
type patch struct {
	writing
	kind  types.PatchType
	body  []byte
	force bool // of an apply: take fields over from other managers
}

// readPatch reads and checks all that does not depend on the object.
func (x *exchange) readPatch() (*patch, error) {
	p := &patch{kind: types.PatchType(x.http.Header.Get("Content-Type"))}
	if plain, _, err := mime.ParseMediaType(string(p.kind)); err == nil {
		p.kind = types.PatchType(plain)
	}
	if !slices.Contains(patchTypes(), p.kind) {
		var names []string
		for _, t := range patchTypes() {
			names = append(names, string(t))
		}
		return nil, unsupportedMediaType(strings.Join(names, ", "))
	}
	var err error
	if p.body, err = x.body(); err != nil {
		return nil, err
	}
	var opts metav1.PatchOptions
	if err := options(x.query, &opts); err != nil {
		return nil, err
	}
	if err := invalidOptions("PatchOptions", metav1validation.ValidatePatchOptions(&opts, p.kind)); err != nil {
		return nil, err
	}
	p.writing = x.writing(opts.FieldManager, opts.FieldValidation, opts.DryRun)
	p.force = opts.Force != nil && *opts.Force
	if err := p.wellFormed(); err != nil {
		return nil, err
	}
	return p, nil
}

// wellFormed refuses what is no JSON, or no YAML, at all.
func (p *patch) wellFormed() error {
	if p.kind == types.ApplyYAMLPatchType {
		if _, err := utilyaml.ToJSON(p.body); err != nil {
			return apierrors.NewBadRequest(fmt.Sprintf("error encoding patch: %v", err))
		}
		return nil
	}
	if !json.Valid(p.body) {
		return apierrors.NewBadRequest("invalid JSON patch")
	}
	return nil
}

func (p *patch) strict() bool { return p.validation != metav1.FieldValidationIgnore }

// patched makes of old and a patch, which is no apply, a new object in into.
func (x *exchange) patched(p *patch, old, into runtime.Object) error {
	if p.kind == types.StrategicMergePatchType {
		return x.strategic(p, old, into)
	}
	before, err := json.Marshal(old)
	if err != nil {
		return err
	}
	after, found, err := p.applyJSON(before)
	if err != nil {
		return err
	}
	gvk := old.GetObjectKind().GroupVersionKind()
	return x.decodePatched(p, string(after), found, func() error {
		decoder := runtime.Decoder(serializers()[0].Serializer)
		if p.strict() {
			decoder = serializers()[0].StrictSerializer
		}
		_, _, err := decoder.Decode(after, &gvk, into)
		return err
	})
}

// decodePatched decodes what a patch made, and words what strict decoding found in patch and result; shown is how the
// result appears in an error.
func (x *exchange) decodePatched(p *patch, shown string, found []error, decode func() error) error {
	invalid := func(err error) error {
		return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), shown, err.Error())})
	}
	if err := decode(); err != nil {
		strict, ok := runtime.AsStrictDecodingError(err)
		if !ok {
			return invalid(err)
		}
		found = append(found, strict.Errors()...)
	}
	if len(found) == 0 {
		return nil
	}
	if p.validation == metav1.FieldValidationWarn {
		x.warnStrict(found)
		return nil
	}
	return invalid(runtime.NewStrictDecodingError(found))
}

// jsonPatchOp is what a step of a JSON patch may hold, for strict decoding.
type jsonPatchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

// applyJSON applies a JSON patch or a merge patch; found is what strict decoding of the patch itself found.
func (p *patch) applyJSON(before []byte) (after []byte, found []error, err error) {
	if p.kind == types.MergePatchType {
		if p.strict() {
			if found, err = kjson.UnmarshalStrict(p.body, &map[string]any{}); err != nil {
				return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
			}
		}
		after, err = jsonpatch.MergePatch(before, p.body)
		if err == jsonpatch.ErrBadJSONPatch {
			err = apierrors.NewBadRequest(err.Error())
		}
		return after, found, err
	}
	if p.strict() {
		var steps []jsonPatchOp
		if found, err = kjson.UnmarshalStrict(p.body, &steps); err != nil {
			// The error names the Go type, which has another home in the real server.
			why := strings.ReplaceAll(err.Error(), "apiserver.jsonPatchOp", "handlers.jsonPatchOp")
			return nil, nil, apierrors.NewBadRequest("error decoding patch: " + why)
		}
		for i, e := range found {
			found[i] = fmt.Errorf("json patch %v", e)
		}
	}
	steps, err := jsonpatch.DecodePatch(p.body)
	if err != nil {
		return nil, nil, apierrors.NewBadRequest(err.Error())
	}
	if len(steps) > maxPatchOps {
		return nil, nil, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxPatchOps, len(steps)))
	}
	if err := tooLong(longestIn(p.body, 1)); err != nil {
		return nil, nil, err
	}
	if after, err = steps.Apply(before); err != nil {
		return nil, nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	if err := tooLong(longestIn(after, 0)); err != nil {
		return nil, nil, err
	}
	return after, found, nil
}

// strategic applies a strategic merge patch, which knows from the Go type how lists merge.
func (x *exchange) strategic(p *patch, old, into runtime.Object) error {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(old)
	if err != nil {
		return err
	}
	changes := map[string]any{}
	var found []error
	if p.strict() {
		found, err = kjson.UnmarshalStrict(p.body, &changes)
	} else {
		err = kjson.UnmarshalCaseSensitivePreserveInts(p.body, &changes)
	}
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	shown := fmt.Sprintf("%+v", changes) // before the merge, which may change it
	after, err := strategicpatch.StrategicMergeMapPatch(before, changes, into)
	switch err {
	case nil:
	case mergepatch.ErrBadJSONDoc, mergepatch.ErrBadPatchFormatForPrimitiveList, mergepatch.ErrBadPatchFormatForRetainKeys,
		mergepatch.ErrBadPatchFormatForSetElementOrderList, mergepatch.ErrUnsupportedStrategicMergePatchFormat:
		return apierrors.NewBadRequest(err.Error())
	case mergepatch.ErrNoListOfLists, mergepatch.ErrPatchContentNotMatchRetainKeys:
		return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	default:
		return err
	}
	return x.decodePatched(p, shown, found, func() error {
		return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(after, into, p.strict())
	})
}

// applied merges an applied configuration into an object (nil: it is not there yet).
func (x *exchange) applied(p *patch, old Object) (Object, error) {
	config := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(p.body, &config.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	o, err := x.fieldTracker(x.resource).apply(old, config, p.manager, p.force)
	if err != nil {
		return nil, err
	}
	if p.strict() {
		if err := yaml.UnmarshalStrict(p.body, &map[string]any{}); err != nil {
			if p.validation == metav1.FieldValidationStrict {
				return nil, apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: %v", err))
			}
			x.warnStrict([]error{err})
		}
	}
	return o, nil
}
