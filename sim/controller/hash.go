package controller

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/dump"
)

// templateHash is the pod-template-hash of a template: FNV-1a of its dump, and of the count of
// collisions so far, spelt without vowels (pkg/controller/controller_utils.go, ComputeHash).
//
// The dump shows what equal templates may differ in: the text that a quantity remembers, nil and empty. The real
// controllers have theirs from the wire, decoded; so must this one, whatever way the template took.
func templateHash(template *corev1.PodTemplateSpec, collisions *int32) string {
	if wire, err := template.Marshal(); err == nil {
		decoded := &corev1.PodTemplateSpec{}
		if decoded.Unmarshal(wire) == nil {
			template = decoded
		}
	}
	h := fnv.New32a()
	fmt.Fprint(h, dump.ForHash(*template))
	if collisions != nil {
		var b [8]byte
		binary.LittleEndian.PutUint32(b[:], uint32(*collisions))
		h.Write(b[:])
	}
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32()))
}
