package kubectl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/version"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/yaml"
)

// kubectl describe and kubectl events compute ages themselves, from the machine's clock, which is not the
// cluster's. For them every moment that the server sends is put as far from the machine's now as it is from the
// cluster's, and every moment that they print is put back.

var (
	// sentTime is a field that holds a moment: a moment in an annotation or in a ConfigMap is text, and printed as it is.
	sentTime = regexp.MustCompile(`"(?:(?:creation|deletion|first|last)Timestamp|last(?:Transition|Update|Probe|Heartbeat|Observed|Schedule|Successful|Scale)Time|` +
		`(?:start|completion|event|renew|acquire)Time|startedAt|finishedAt)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"`)
	printedTime = regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}`)
)

// shift is the time from the cluster's now, cut to whole seconds as ages are, to the machine's, which is not: a
// command then has a whole second until an age that it prints would be one more.
func (w *wire) shift() time.Duration {
	if w.offset == 0 {
		w.offset = time.Now().Truncate(time.Microsecond).Sub(w.cluster.Now().Truncate(time.Second))
	}
	return w.offset
}

func (w *wire) shiftBody(resp *http.Response) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return // of a body in memory it cannot fail
	}
	body = sentTime.ReplaceAllFunc(body, func(field []byte) []byte {
		i := bytes.Index(field, []byte(`":"`)) + len(`":`)
		name, quoted := field[:i:i], field[i:]
		text, err := strconv.Unquote(string(quoted))
		if err != nil {
			return field
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return field
		}
		const layout = "2006-01-02T15:04:05.000000Z07:00" // the one form that a MicroTime takes
		return strconv.AppendQuote(name, t.Truncate(time.Second).Add(w.shift()).Format(layout))
	})
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
}

// unshift puts printed moments back on the cluster's clock, in UTC whatever the machine's zone.
func (w *wire) unshift(printed string) string {
	return printedTime.ReplaceAllStringFunc(printed, func(text string) string {
		t, err := time.Parse(time.RFC1123Z, text)
		if err != nil {
			return text
		}
		// What was cut off when it was printed is less than a second, and the moment was a whole one.
		return t.Add(-w.shift() + time.Second - 1).Truncate(time.Second).UTC().Format(time.RFC1123Z)
	})
}

// printVersion is kubectl version. The real one's own version is stamped into it when it is linked; this one is
// the version of the modules that it is made of, which is the simulated server's.
func printVersion(r *run, cmd *cobra.Command, _ []string, _ func(*cobra.Command, []string)) {
	client, err := cmd.Flags().GetBool("client")
	cmdutil.CheckErr(err)
	known, err := known()
	cmdutil.CheckErr(err)
	v, err := known.discovery.ServerVersion()
	cmdutil.CheckErr(err)
	all := struct {
		ClientVersion    *version.Info `json:"clientVersion"`
		KustomizeVersion string        `json:"kustomizeVersion,omitempty"`
		ServerVersion    *version.Info `json:"serverVersion,omitempty"`
	}{v, "v5.8.1", v}
	if client {
		all.ServerVersion = nil
	}
	switch output := cmd.Flag("output").Value.String(); output {
	case "":
		fmt.Fprintf(r.streams.Out, "Client Version: %s\nKustomize Version: %s\n", v.GitVersion, all.KustomizeVersion)
		if !client {
			discovery, err := r.getter.ToDiscoveryClient()
			cmdutil.CheckErr(err)
			v, err := discovery.ServerVersion()
			cmdutil.CheckErr(err)
			fmt.Fprintf(r.streams.Out, "Server Version: %s\n", v.GitVersion)
		}
	case "json":
		text, err := json.MarshalIndent(all, "", "  ")
		cmdutil.CheckErr(err)
		fmt.Fprintln(r.streams.Out, string(text))
	case "yaml":
		text, err := yaml.Marshal(all)
		cmdutil.CheckErr(err)
		fmt.Fprint(r.streams.Out, string(text))
	default:
		cmdutil.CheckErr(fmt.Errorf("--output must be 'yaml' or 'json'"))
	}
}
