package kubectl

import (
	"slices"
	"strings"
)

// leadingOut are kubectl's global flags that name another server, another person, or a file. None of them is
// made here, so that cobra would say only that it does not know them.
func leadingOut(flag string) bool {
	return slices.Contains([]string{"as", "as-group", "as-uid", "as-user-extra", "cache-dir", "certificate-authority", "client-certificate",
		"client-key", "cluster", "context", "insecure-skip-tls-verify", "kubeconfig", "kuberc", "password", "profile", "profile-output",
		"server", "tls-server-name", "token", "username"}, flag)
}

// outOfReach finds what the real kubectl has and this one has not, before cobra stumbles over its flags:
// kubectl exec -it, --kubeconfig=…. Nil: nothing.
func outOfReach(args []string) *Refusal {
	named := false // the command's name has been seen
	for i, a := range args {
		flag, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case a == "--":
			return nil
		case strings.HasPrefix(a, "--"):
			if leadingOut(flag) {
				return &Refusal{RefusedFlag, "--" + flag}
			}
		case strings.HasPrefix(a, "-"):
		case i > 0 && (args[i-1] == "-n" || args[i-1] == "--namespace"):
		case !named:
			if named = true; elsewhere(a) {
				return &Refusal{RefusedCommand, a}
			}
		}
	}
	return nil
}
