package apiserver

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/munnerz/goautoneg"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What a resource and its subresources can be asked, as discovery tells it. A
// subresource of another kind than its resource names that.
var (
	resourceVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	subresources  = map[string]struct {
		verbs []string
		kind  schema.GroupVersionKind
	}{
		"status":   {verbs: []string{"get", "patch", "update"}},
		"scale":    {verbs: []string{"get", "patch", "update"}, kind: schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}},
		"finalize": {verbs: []string{"update"}},
		"binding":  {verbs: []string{"create"}, kind: schema.GroupVersionKind{Version: "v1", Kind: "Binding"}},
		"eviction": {verbs: []string{"create"}, kind: schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "Eviction"}},
		"log":      {verbs: []string{"get"}},
	}
)

// groups are the API groups served, in the order of the table of kinds.
func (s *Server) groups() (groups []schema.GroupVersion) {
	for _, r := range s.resources {
		if gv := r.GroupVersion(); !slices.Contains(groups, gv) {
			groups = append(groups, gv)
			if gv.Group == autoscalingV1.Group {
				groups = append(groups, autoscalingV1)
			}
		}
	}
	if s.cfg.Metrics != nil {
		groups = append(groups, metricsGroup)
	}
	return groups
}

// of are the resources of a group, by name.
func (s *Server) of(gv schema.GroupVersion) (found []*Resource) {
	if gv == autoscalingV1 {
		r := autoscalerV1Resource()
		return []*Resource{&r}
	}
	for _, r := range s.resources {
		if r.GroupVersion() == gv {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Resource) int { return cmp.Compare(a.Resource, b.Resource) })
	return found
}

// serveDiscovery answers /api, /apis and what is right below; found is false where there is no such group.
func (x *exchange) serveDiscovery(parts []string) (a *answer, found bool) {
	core := parts[0] == "api"
	switch {
	case len(parts) == 1:
		if x.wantsAggregated() {
			return x.encodeAggregated(x.server.aggregated(core)), true
		}
		if core {
			return x.encodeDiscovery(&metav1.APIVersions{
				TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
				ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{{ClientCIDR: "0.0.0.0/0", ServerAddress: x.http.Host}},
			}), true
		}
		return x.encodeDiscovery(x.server.groupList()), true
	case !core && len(parts) == 2:
		for _, g := range x.server.groupList().Groups {
			if g.Name == parts[1] {
				g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
				return x.encodeDiscovery(&g), true
			}
		}
		return nil, false
	}
	gv := schema.GroupVersion{Version: parts[len(parts)-1]}
	if !core {
		gv.Group = parts[1]
	}
	if len(parts) != map[bool]int{true: 2, false: 3}[core] || !slices.Contains(x.server.groups(), gv) {
		return nil, false
	}
	return x.encodeDiscovery(x.server.resourceList(gv)), true
}

func (x *exchange) encodeDiscovery(o runtime.Object) *answer {
	media, ok := negotiate(x.http.Header.Get("Accept"), nil)
	if !ok {
		return x.refusal(notAcceptable())
	}
	return x.encode(http.StatusOK, o, media.info)
}

func (s *Server) groupList() *metav1.APIGroupList {
	list := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
	for _, gv := range s.groups() {
		if gv.Group == "" {
			continue
		}
		version := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
		if n := len(list.Groups); n > 0 && list.Groups[n-1].Name == gv.Group { // an older version
			list.Groups[n-1].Versions = append(list.Groups[n-1].Versions, version)
			continue
		}
		list.Groups = append(list.Groups, metav1.APIGroup{
			Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
		})
	}
	return list
}

func (s *Server) resourceList(gv schema.GroupVersion) *metav1.APIResourceList {
	if gv == metricsGroup {
		return metricsResources()
	}
	list := &metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv.String(),
	}
	for _, r := range s.of(gv) {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: r.Resource, SingularName: r.Singular, Namespaced: r.Namespaced, Kind: r.Kind,
			Verbs: resourceVerbs, ShortNames: r.ShortNames, Categories: r.Categories,
		})
		for _, name := range slices.Sorted(slices.Values(r.Subresources)) {
			sub := subresources[name]
			entry := metav1.APIResource{Name: r.Resource + "/" + name, Namespaced: r.Namespaced, Kind: r.Kind, Verbs: sub.verbs}
			if sub.kind.Kind != "" {
				entry.Group, entry.Version, entry.Kind = sub.kind.Group, sub.kind.Version, sub.kind.Kind
			}
			list.APIResources = append(list.APIResources, entry)
		}
	}
	return list
}

// aggregatedType is the media type of aggregated discovery.
const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// wantsAggregated tells whether the client would rather have all resources at once.
func (x *exchange) wantsAggregated() bool {
	for _, clause := range goautoneg.ParseAccept(x.http.Header.Get("Accept")) {
		if clause.SubType != "json" && clause.SubType != "*" {
			continue
		}
		switch p := clause.Params; {
		case p["g"] == "apidiscovery.k8s.io" && p["v"] == "v2" && p["as"] == "APIGroupDiscoveryList":
			return true
		case p["as"] == "":
			return false
		}
	}
	return false
}

// aggregated is discovery v2: the core group, or all others, with their resources.
func (s *Server) aggregated(core bool) *apidiscovery.APIGroupDiscoveryList {
	list := &apidiscovery.APIGroupDiscoveryList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: apidiscovery.SchemeGroupVersion.String()},
		Items:    []apidiscovery.APIGroupDiscovery{},
	}
	for _, gv := range s.groups() {
		if (gv.Group == "") != core {
			continue
		}
		version := apidiscovery.APIVersionDiscovery{Version: gv.Version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
		for _, r := range s.of(gv) {
			version.Resources = append(version.Resources, r.discovery())
		}
		if gv == metricsGroup {
			version.Resources = metricsDiscovery()
		}
		if n := len(list.Items); n > 0 && list.Items[n-1].Name == gv.Group {
			list.Items[n-1].Versions = append(list.Items[n-1].Versions, version)
			continue
		}
		list.Items = append(list.Items, apidiscovery.APIGroupDiscovery{
			ObjectMeta: metav1.ObjectMeta{Name: gv.Group}, Versions: []apidiscovery.APIVersionDiscovery{version},
		})
	}
	return list
}

func (r *Resource) discovery() apidiscovery.APIResourceDiscovery {
	kind := func(k schema.GroupVersionKind) *metav1.GroupVersionKind {
		return &metav1.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}
	}
	d := apidiscovery.APIResourceDiscovery{
		Resource: r.Resource, ResponseKind: kind(r.GroupVersionKind()), Scope: apidiscovery.ScopeCluster,
		SingularResource: r.Singular, Verbs: resourceVerbs, ShortNames: r.ShortNames, Categories: r.Categories,
	}
	if r.Namespaced {
		d.Scope = apidiscovery.ScopeNamespace
	}
	for _, name := range slices.Sorted(slices.Values(r.Subresources)) {
		sub := subresources[name]
		entry := apidiscovery.APISubresourceDiscovery{Subresource: name, ResponseKind: d.ResponseKind, Verbs: sub.verbs}
		if sub.kind.Kind != "" {
			entry.ResponseKind = kind(sub.kind)
		}
		d.Subresources = append(d.Subresources, entry)
	}
	return d
}

func (x *exchange) encodeAggregated(list *apidiscovery.APIGroupDiscoveryList) *answer {
	body, err := json.Marshal(list)
	if err != nil {
		return x.refusal(apierrors.NewInternalError(err))
	}
	return x.tagged(newAnswer(http.StatusOK, aggregatedType, body), fmt.Sprintf("%X", sha256.Sum256(body)))
}

// tagged lets a client keep an answer until it changes.
func (x *exchange) tagged(a *answer, etag string) *answer {
	etag = strconv.Quote(strings.Trim(etag, `"`))
	a.header.Set("ETag", etag)
	a.header.Set("Vary", "Accept")
	a.header.Set("Cache-Control", "public")
	if x.http.Header.Get("If-None-Match") == etag {
		a.code, a.body = http.StatusNotModified, nil
	}
	return a
}
