package main

import (
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// readServeOptions reads the flags. ok is false where the program is to end with the code.
func readServeOptions(in invocation) (o serveOptions, say voice, code int, ok bool) {
	o, faults, say, code, ok := parseServeOptions(in, serveUsage)
	switch {
	case !ok:
		return o, say, code, false
	case len(faults) > 0:
		return o, say, in.refuse(faults[0].text), false
	}
	if o.data == "" {
		var err error
		if o.data, err = dataFile(in.env); err != nil {
			return o, say, in.fail(say.word("program.nodata")), false
		}
	}
	return o, say, exitOK, true
}

// optionFault is a flag of serve whose value does not do, and what to tell of it.
type optionFault struct{ option, text string }

// parseServeOptions reads the flags of serve, for it and for doctor, with what is wrong with their values.
func parseServeOptions(in invocation, usage func(voice) string) (o serveOptions, faults []optionFault, say voice, code int, ok bool) {
	flags := &flag.FlagSet{}
	serveFlags(flags, &o)
	most := flags.String("most", "", "")
	memory := flags.String("memory", "128Mi", "")
	flags.StringVar(&o.backups.dir, "backup-dir", "", "")
	every, keep := flags.String("backup-every", "6h", ""), flags.String("backup-keep", "8", "")
	if say, _, code, ok = in.parse(flags, usage); !ok {
		return o, nil, say, code, false
	}
	if flags.NArg() > 0 {
		return o, nil, say, in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)})), false
	}
	flags.Visit(func(f *flag.Flag) { o.asked = o.asked || f.Name == "listen" })
	var failed error
	number := func(value string) (n int) {
		if n, failed = strconv.Atoi(value); failed != nil {
			return 0
		}
		return n
	}
	if *most != "" {
		o.most = number(*most)
	}
	o.backups.keep = number(*keep)
	amount, failed := resource.ParseQuantity(*memory)
	if o.memory = 0; failed == nil {
		o.memory = amount.Value()
	}
	if o.backups.every, failed = time.ParseDuration(*every); failed != nil {
		o.backups.every = 0
	}
	for _, rule := range []struct {
		option, value, expected string
		fits                    bool
	}{
		{"--log", o.format, "text, json", o.format == "text" || o.format == "json"},
		{"--log-level", o.level, "debug, info, warn, error", new(slog.Level).UnmarshalText([]byte(o.level)) == nil},
		{"--listen", o.listen, "127.0.0.1:8080", isAddress(o.listen)},
		{"--admin", o.admin, "127.0.0.1:9090", o.admin == "" || isAddress(o.admin)},
		{"--kubectl", o.kubectl, "127.0.0.1:6443", o.kubectl == "" || isAddress(o.kubectl)},
		{"--most", *most, "1000", *most == "" || o.most >= 1},
		{"--memory", *memory, "128Mi", o.memory >= leastMemory},
		{"--backup-every", *every, "6h", o.backups.every >= time.Minute},
		{"--backup-keep", *keep, "8", o.backups.keep >= 1},
	} {
		if !rule.fits {
			faults = append(faults, optionFault{rule.option, say.sentence("serve.badvalue", map[string]any{"Option": rule.option, "Value": rule.value, "Expected": rule.expected})})
		}
	}
	return o, append(faults, o.conflicts(say)...), say, exitOK, true
}

// conflicts are values that are well formed and do not do: an address that is another flag's as well, a directory that is not there.
func (o serveOptions) conflicts(say voice) (faults []optionFault) {
	taken := map[string]string{o.listen: "--listen"}
	for _, at := range []struct{ option, address string }{{"--admin", o.admin}, {"--kubectl", o.kubectl}} {
		if at.address == "" || strings.HasSuffix(at.address, ":0") {
			continue
		}
		if other := taken[at.address]; other != "" {
			faults = append(faults, optionFault{at.option, say.sentence("serve.sameaddress", map[string]any{"Option": at.option, "Other": other, "Address": at.address})})
			continue
		}
		taken[at.address] = at.option
	}
	if o.backups.dir == "" {
		return faults
	}
	info, err := os.Stat(o.backups.dir)
	id := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		id = "serve.nodir"
	case err == nil && !info.IsDir():
		id = "serve.notdir"
	case err != nil:
		id = "doctor.nocopies"
	default:
		return faults
	}
	data := map[string]any{"Path": o.backups.dir}
	if err != nil {
		data["Error"] = reason(err)
	}
	return append(faults, optionFault{"--backup-dir", say.sentence(id, data)})
}

// defaultListen is where serve answers unless it is told otherwise: on this machine alone.
const defaultListen = "127.0.0.1:8080"

func serveFlags(flags *flag.FlagSet, o *serveOptions) {
	flags.StringVar(&o.listen, "listen", defaultListen, "")
	flags.StringVar(&o.admin, "admin", "", "")
	flags.StringVar(&o.kubectl, "kubectl", "", "")
	flags.StringVar(&o.data, "data", "", "")
	flags.StringVar(&o.format, "log", "text", "")
	flags.StringVar(&o.level, "log-level", "info", "")
	flags.StringVar(&o.config, "config", "", "")
	flags.StringVar(&o.content, "content", "", "")
}
