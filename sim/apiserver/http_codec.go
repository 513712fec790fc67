package apiserver

import (
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/munnerz/goautoneg"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metascheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// serializers are the formats spoken: JSON, YAML, protobuf.
func serializers() []runtime.SerializerInfo { return scheme.Codecs.SupportedMediaTypes() }

func mediaTypes() string {
	var names []string
	for _, info := range serializers() {
		names = append(names, info.MediaType)
	}
	return strings.Join(names, ", ")
}

// mediaType is how a client wants its answer: in which format, and turned into what.
type mediaType struct {
	info runtime.SerializerInfo
	as   schema.GroupVersionKind // Table, PartialObjectMetadata …; empty: as it is
}

// negotiate picks the best of an Accept header that can be had (the real server's
// pkg/endpoints/handlers/negotiation). Only resources can be turned into tables.
func negotiate(accept string, r *Resource) (mediaType, bool) {
	infos := serializers()
	if accept == "" {
		return mediaType{info: infos[0]}, true
	}
	for _, clause := range goautoneg.ParseAccept(accept) {
		for _, info := range infos {
			if clause.Type != "*" && clause.Type != info.MediaTypeType || clause.SubType != "*" && clause.SubType != info.MediaTypeSubType {
				continue
			}
			as := schema.GroupVersionKind{Group: clause.Params["g"], Version: clause.Params["v"], Kind: clause.Params["as"]}
			if convertible(as, info, r) {
				return mediaType{info, as}, true
			}
		}
	}
	return mediaType{}, false
}

func convertible(as schema.GroupVersionKind, info runtime.SerializerInfo, r *Resource) bool {
	switch {
	case as == (schema.GroupVersionKind{}):
		return true
	case r == nil, as.GroupVersion() != metav1.SchemeGroupVersion:
		return false
	case as.Kind == "Table":
		return info.MediaTypeSubType != "vnd.kubernetes.protobuf"
	}
	return as.Kind == "PartialObjectMetadata" || as.Kind == "PartialObjectMetadataList"
}

func notAcceptable() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: " + mediaTypes(),
	}}
}

func unsupportedMediaType(accepted string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format - accepted media types include: " + accepted,
	}}
}

// inputFormat is the format of a request's body.
func inputFormat(contentType string) (runtime.SerializerInfo, error) {
	infos := serializers()
	if contentType == "" {
		return infos[0], nil
	}
	if plain, _, err := mime.ParseMediaType(contentType); err == nil {
		if info, ok := runtime.SerializerInfoForMediaType(infos, plain); ok {
			return info, nil
		}
	}
	return runtime.SerializerInfo{}, unsupportedMediaType(mediaTypes())
}

// options reads a request's options from its query, into a metav1 or internal options struct.
func options(query url.Values, into runtime.Object) error {
	if err := metascheme.ParameterCodec.DecodeParameters(query, metav1.SchemeGroupVersion, into); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	return nil
}

// directive is what to do with fields that are unknown or double.
func directive(asked string) string {
	if asked == "" {
		return metav1.FieldValidationWarn
	}
	return asked
}

// decode reads a body into an object of its kind, in the real server's words where it cannot.
func (x *exchange) decode(body []byte, gvk schema.GroupVersionKind, into runtime.Object, fieldValidation string) error {
	info, err := inputFormat(x.http.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	decoder := runtime.Decoder(info.Serializer)
	strict := directive(fieldValidation) != metav1.FieldValidationIgnore
	if strict && info.StrictSerializer != nil {
		decoder = info.StrictSerializer
	}
	o, got, err := decoder.Decode(body, &gvk, into)
	if err != nil {
		strictError, isStrict := runtime.AsStrictDecodingError(err)
		if !isStrict || o == nil || directive(fieldValidation) != metav1.FieldValidationWarn {
			return decodeError(gvk, got, err, body)
		}
		x.warnStrict(strictError.Errors())
	}
	if info.MediaType == runtime.ContentTypeProtobuf && len(body) >= shortest/2 { // the other formats' bodies have been looked at
		if err := tooLong(longestOf(reflect.ValueOf(o))); err != nil {
			return err
		}
	}
	if got.GroupVersion() != gvk.GroupVersion() {
		return apierrors.NewBadRequest(fmt.Sprintf(
			"the API version in the data (%s) does not match the expected API version (%s)", got.GroupVersion(), gvk.GroupVersion()))
	}
	if reflect.TypeOf(o) != reflect.TypeOf(into) {
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: converting (%s) to (%s): unknown conversion",
			got.Kind, got.Version, gvk.Kind, typeName(o), typeName(into)))
	}
	return nil
}

// typeName is a Go type as the conversion errors of the real server name it.
func typeName(o runtime.Object) string { return strings.TrimPrefix(fmt.Sprintf("%T", o), "*") }

// decodeError is transformDecodeError of the real server.
func decodeError(want schema.GroupVersionKind, got *schema.GroupVersionKind, err error, body []byte) error {
	if got != nil && got.Kind != "" {
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", got.Kind, got.Version, want.Kind, err))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", want.Kind, err, summary(body)))
}

// summary is the beginning of a body that is no object: as text if it looks like JSON, in hexadecimal otherwise.
func summary(body []byte) string {
	const longest = 30
	if len(body) == 0 {
		return "<empty>"
	}
	short, more := body, ""
	if len(body) > longest {
		short, more = body[:longest], " ..."
	}
	if body[0] == '{' {
		return string(short) + more
	}
	return hex.EncodeToString(short) + more
}

// warnStrict turns what strict decoding found into warnings, one for each finding.
func (x *exchange) warnStrict(errs []error) {
	for _, err := range errs {
		text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
		text, wasYAML := strings.CutPrefix(text, "yaml: unmarshal errors:\n")
		if !wasYAML {
			x.warn(text)
			continue
		}
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				x.warn(line)
			}
		}
	}
}
