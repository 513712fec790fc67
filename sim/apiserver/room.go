package apiserver

import (
	"cmp"
	"slices"
	"strings"
)

// Weight is how much of the cluster's room a kind's objects take, as they are stored now.
type Weight struct {
	Resource *Resource
	Count    int
	Bytes    int64
	Largest  Object // of them; nil: it is not known
}

// Weigh says which kinds' objects take the room, the heaviest first.
func (s *Server) Weigh() []Weight {
	of := map[*Resource]*Weight{}
	largest := map[*Resource]int64{}
	keys := map[*Resource]string{}
	s.cfg.Store.Sizes(func(key string, bytes int64) {
		r := s.resourceAt(key)
		if r == nil {
			return
		}
		if of[r] == nil {
			of[r] = &Weight{Resource: r}
		}
		of[r].Count++
		of[r].Bytes += bytes
		if bytes > largest[r] {
			largest[r], keys[r] = bytes, key
		}
	})
	var out []Weight
	for _, r := range s.resources { // not the map's order
		if w := of[r]; w != nil {
			namespace, name, ok := strings.Cut(strings.TrimPrefix(keys[r], r.KeyPrefix+"/"), "/")
			if !ok {
				namespace, name = "", namespace
			}
			w.Largest, _ = s.caches[r].get(namespace, name)
			out = append(out, *w)
		}
	}
	slices.SortStableFunc(out, func(a, b Weight) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return out
}
