package kubectl

import (
	"context"
	"io"
	"net/http"
	"strings"

	"timonier/sim"
)

// Look runs kubectl as Run does, for someone who may look and not touch: what would change
// the cluster is refused by its API server, whatever command asks for it, and the result's
// Denied says so; nobody is waited for, so that the cluster's clock does not go on.
func Look(ctx context.Context, c *sim.Cluster, args []string, stdin string) Result {
	return start(ctx, c, args, stdin, true, 0)
}

// touches says that a request would change something. A deletion that is tried without
// effect says so in its body, which is not looked into: it counts as one.
func touches(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	dry := req.URL.Query()["dryRun"]
	return len(dry) != 1 || dry[0] != "All"
}

// denied is the answer to a request that touches.
func denied(req *http.Request) *http.Response {
	const body = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"you may only look at this cluster","reason":"Forbidden","code":403}`
	return &http.Response{
		StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
