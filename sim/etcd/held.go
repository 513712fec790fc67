package etcd

// Held is how much a store keeps in memory: the bytes of all its versions, of which those that were superseded may
// be mere differences, and those of the latest of each key that is there, with how many these are.
func (s *Store) Held() (all, latest int64, keys int) {
	for _, v := range s.log {
		all += int64(len(v.Key) + len(v.Value) + recordBytes)
	}
	s.heads.Scan(func(_ string, v *version) bool {
		if !v.deleted {
			latest += v.size()
			keys++
		}
		return true
	})
	return all, latest, keys
}

// Sizes gives the keys that are there, in their order, each with the bytes that its latest version takes.
func (s *Store) Sizes(visit func(key string, bytes int64)) {
	s.heads.Scan(func(key string, v *version) bool {
		if !v.deleted {
			visit(key, v.size())
		}
		return true
	})
}
