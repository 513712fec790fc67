package kubelet

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// fingerprint is 64 hexadecimal digits that follow from what they stand for: a
// container's ID, an image's digest. Generated ones would have to be kept.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
