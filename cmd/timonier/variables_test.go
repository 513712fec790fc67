package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"timonier/locales"
)

// Made-up secrets: none of them may ever be seen in what the program writes.
const (
	someToken   = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.made-up-token-of-nobody"
	someBot     = "xoxb-made-up-123-456"
	someApp     = "xapp-made-up-123-456"
	someSigning = "8f742231b10e8888abcd99yyyzzz85a5"
	someKey     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"
)

// hush fails where a secret is in what was written, or a good part of one.
func hush(t *testing.T, written string) {
	t.Helper()
	for _, secret := range []string{"made-up", someSigning} {
		if strings.Contains(written, secret) {
			t.Errorf("a secret in %q", written)
		}
	}
}

// runProgram runs a subcommand in this process.
func runProgram(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	var out, errors bytes.Buffer
	code := run(t.Context(), args, env, strings.NewReader(""), &out, &errors)
	return outcome{code, out.String(), errors.String()}
}

// TestSettingsRefused: every setting that is missing or will not do is named in one line that says where to
// get it, in both languages, with exit code 2 and without any value.
func TestSettingsRefused(t *testing.T) {
	lone, bot := discordToken+"="+someToken, slackBot+"="+someBot
	app, key, id := slackApp+"="+someApp, discordKey+"="+someKey, discordApp+"=123"
	tests := []struct {
		name string
		env  []string
		want []string // in the line
	}{
		{"nothing", nil, []string{discordToken, slackBot, "Discord Developer Portal", "api.slack.com/apps"}},
		{"empty", []string{discordToken + "=", slackBot + "="}, []string{discordToken, slackBot}},
		{"a Discord token with its prefix", []string{discordToken + "=Bot " + someToken}, []string{discordToken, "Developer Portal", "Bot → Token"}},
		{"a Discord token with a line break", []string{discordToken + "=" + someToken + "\r\nX: y"}, []string{discordToken}},
		{"a Discord token with a slash", []string{discordToken + "=made-up/b", id}, []string{discordToken, "Developer Portal"}},
		{"a Discord token too long", []string{discordToken + "=" + strings.Repeat("a", 1001), id}, []string{discordToken}},
		{"an app ID with noughts before it", []string{lone, discordApp + "=" + strings.Repeat("0", 20) + "1"}, []string{discordApp}},
		{"an app ID that is no number", []string{lone, discordApp + "=made-up"}, []string{discordApp, "Application ID"}},
		{"an app ID of zero", []string{lone, discordApp + "=0"}, []string{discordApp}},
		{"a public key too short", []string{lone, id, discordKey + "=" + someKey[1:]}, []string{discordKey, "64", "Public Key"}},
		{"a public key that is not hexadecimal", []string{lone, id, discordKey + "=g" + someKey[1:]}, []string{discordKey}},
		{"a public key alone", []string{key}, []string{discordKey, discordApp, "Application ID"}},
		{"a token alone", []string{lone}, []string{discordToken, discordApp, "General Information"}},
		{"a guild that is no number", []string{lone, id, discordGuild + "=made-up"}, []string{discordGuild}},
		{"no shards", []string{lone, id, discordShards + "=0"}, []string{discordShards, "auto"}},
		{"shards below none", []string{lone, id, discordShards + "=-1"}, []string{discordShards}},
		{"too many shards", []string{lone, id, discordShards + "=4097"}, []string{discordShards, "4096"}},
		{"shards that are no number", []string{lone, id, discordShards + "=2 of 3"}, []string{discordShards}},
		{"roles with a name", []string{lone, id, discordRoles + "=12,made-up"}, []string{discordRoles}},
		{"a URL without a scheme", []string{lone, id, discordURL + "=localhost:8080"}, []string{discordURL, "https://"}},
		{"a URL of another scheme", []string{lone, id, discordURL + "=ftp://made-up"}, []string{discordURL}},
		{"a URL without a host", []string{lone, id, discordURL + "=https:///api"}, []string{discordURL}},
		{"a URL with a password", []string{lone, id, discordURL + "=https://me:made-up@host/"}, []string{discordURL}},
		{"an app ID alone", []string{id}, []string{discordApp, discordToken, "Developer Portal"}},
		{"a guild alone", []string{discordGuild + "=123"}, []string{discordGuild, discordToken}},
		{"a Slack token of another kind", []string{slackBot + "=xoxp-made-up", app}, []string{slackBot, "xoxb-", "OAuth & Permissions"}},
		{"a Slack token's beginning", []string{slackBot + "=xoxb-", app}, []string{slackBot}},
		{"an app token of another kind", []string{bot, slackApp + "=xoxb-made-up"}, []string{slackApp, "xapp-", "connections:write"}},
		{"a bot token alone", []string{bot}, []string{slackBot, slackApp, slackSigning, "App-Level Tokens"}},
		{"an app token alone", []string{app}, []string{slackApp, slackBot, "OAuth & Permissions"}},
		{"a signing secret alone", []string{slackSigning + "=" + someSigning}, []string{slackSigning, slackBot}},
		{"a signing secret with blanks", []string{bot, slackSigning + "=" + someSigning + " "}, []string{slackSigning, "Signing Secret"}},
		{"teachers by name", []string{bot, app, slackTeachers + "=ana"}, []string{slackTeachers, "U…"}},
		{"a Slack URL that is none", []string{bot, app, slackURL + "=made-up"}, []string{slackURL}},
		{"one platform right, another wrong", []string{lone, id, bot}, []string{slackBot, slackApp}},
		{"a secret in two places", []string{lone, id, discordToken + "_FILE=/made-up"}, []string{discordToken, discordToken + "_FILE"}},
		{"a secret in a file that is not there", []string{discordToken + "_FILE=/made-up"}, []string{discordToken + "_FILE", "no such file"}},
		{"a secret where its file is expected", []string{slackBot + "_FILE=" + someBot}, []string{slackBot + "_FILE"}},
		{"a secret in a directory", []string{discordToken + "_FILE=" + t.TempDir()}, []string{discordToken + "_FILE"}},
	}
	for _, test := range tests {
		for _, lang := range locales.Languages() {
			t.Run(test.name+" "+lang, func(t *testing.T) {
				data := filepath.Join(t.TempDir(), "t.db")
				got := runProgram(t, test.env, "serve", "--lang", lang, "--data", data)
				refusedInOneLine(t, got, test.want...)
				if _, err := os.Stat(data); err == nil {
					t.Error("the data file is there")
				}
			})
		}
	}
}

func refusedInOneLine(t *testing.T, got outcome, want ...string) {
	t.Helper()
	if got.code != exitUsage || got.out != "" {
		t.Errorf("code %d, %q", got.code, got.out)
	}
	if strings.Count(got.errors, "\n") != 1 || !strings.HasSuffix(got.errors, "\n") || strings.Contains(got.errors, "<no value>") {
		t.Errorf("not one line: %q", got.errors)
	}
	for _, w := range want {
		if !strings.Contains(got.errors, w) {
			t.Errorf("no %q in %q", w, got.errors)
		}
	}
	hush(t, got.errors)
}

func TestConfigFile(t *testing.T) {
	file := strings.Join([]string{
		"\ufeff# a comment", "", "  " + discordToken + " = " + someToken + "   # the class's", "OTHER=nothing of ours",
		"export " + discordApp + `="123"`, discordKey + "='" + someKey + "' # quoted", slackTeachers + `="U1, U2"`, discordShards + "=", "\t",
	}, "\r\n")
	path := filepath.Join(t.TempDir(), "timonier.env")
	write(t, path, file)
	got, err := readValues(newVoice("en"), nil, path)
	want := values{discordToken: someToken, discordApp: "123", discordKey: someKey, slackTeachers: "U1, U2"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v (%v)", got, err)
	}
	if list := got.list(slackTeachers); !slices.Equal(list, []string{"U1", "U2"}) {
		t.Errorf("teachers: %q", list)
	}
	if got.list(discordRoles) != nil || got.number(discordShards) != 0 {
		t.Error("what is not there is something")
	}
}

func TestConfigFileRefused(t *testing.T) {
	tests := map[string]struct {
		file string
		want []string
	}{
		"no equals sign":         {"# x\n" + someToken + "\n", []string{"2"}},
		"a blank in the name":    {"TIMONIER DISCORD=made-up\n", []string{"1"}},
		"a quote left open":      {discordToken + `="` + someToken + "\n", []string{"1"}},
		"something after quotes": {discordToken + `="x" made-up` + "\n", []string{"1"}},
		"an unknown name":        {"\n\nTIMONIER_DISCORD_TOKN=" + someToken + "\n", []string{"3", "TIMONIER_DISCORD_TOKN", discordToken + "?"}},
		"a name in lower case":   {"TIMONIER_SLACK_signing_SECRET=" + someSigning, []string{slackSigning + "?"}},
		"a file of no secret":    {"TIMONIER_SLACK_TEACHERS_FILE=/made-up", []string{"TIMONIER_SLACK_TEACHERS_FILE", "?"}},
		"twice":                  {discordGuild + "=1\n" + discordGuild + "=2\n", []string{"2", discordGuild}},
		"malformed":              {discordToken + "=" + someToken + "\n" + discordKey + "=made-up", []string{discordKey}},
		"too long":               {strings.Repeat("# made-up\n", 8000), []string{"too long"}},
		"binary":                 {"\x00\xff\x00made-up", []string{"1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "timonier.env")
			write(t, path, test.file)
			for _, lang := range locales.Languages() {
				got := runProgram(t, nil, "serve", "--lang", lang, "--config", path, "--data", path+".db")
				refusedInOneLine(t, got, test.want...)
			}
		})
	}
	refusedInOneLine(t, runProgram(t, []string{"TIMONIER_CONFIG=/nowhere/at/all"}, "serve", "--data", "x"), "/nowhere/at/all", "TIMONIER_CONFIG")
}

// TestPrecedence: the environment wins over the file, in either form of a secret, and --config over
// TIMONIER_CONFIG.
func TestPrecedence(t *testing.T) {
	dir := t.TempDir()
	config, secret := filepath.Join(dir, "timonier.env"), filepath.Join(dir, "token")
	write(t, config, discordToken+"=in-file\n"+slackBot+"_FILE="+secret+"\n"+discordGuild+"=1\n"+discordShards+"=2\n")
	write(t, secret, "xoxb-mounted\r\n")
	got, err := readValues(newVoice("en"), []string{discordToken + "_FILE=" + secret, discordGuild + "=3", discordShards + "="}, config)
	want := values{discordToken: "xoxb-mounted", slackBot: "xoxb-mounted", discordGuild: "3", discordShards: "2"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v (%v)", got, err)
	}
	if secrets := got.secrets(); !slices.Equal(secrets, []string{"xoxb-mounted", "xoxb-mounted"}) {
		t.Errorf("secrets: %v", secrets)
	}
	write(t, secret, "\n")
	if _, err := readValues(newVoice("en"), nil, config); err == nil || !strings.Contains(err.Error(), slackBot+"_FILE names (empty file)") {
		t.Errorf("an empty secret: %v", err)
	}
	for want, got := range map[string]string{
		"flag": configPath("flag", []string{"TIMONIER_CONFIG=env"}), "env": configPath("", []string{"TIMONIER_CONFIG=env"}), "": configPath("", nil)} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions")
	}
	path := filepath.Join(t.TempDir(), "timonier.env")
	write(t, path, "")
	for mode, open := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if openToOthers(path) != open {
			t.Errorf("%v: %v", mode, !open)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestServeHelp: the help names every flag, every variable and every path, in each language.
func TestServeHelp(t *testing.T) {
	for _, lang := range locales.Languages() {
		got := runProgram(t, nil, "serve", "--lang", lang, "--help")
		if got.code != exitOK || got.errors != "" {
			t.Fatalf("got %+v", got)
		}
		wanted := []string{"--listen", "--admin", "--data", "--lang", "--log ", "--log-level", "--config", "--most", "--help",
			"/discord/interactions", "/slack ", "/slack/commands", "/slack/interactions", "/slack/events", "/healthz", "/readyz", "/metrics", configVariable}
		for _, v := range variables() {
			wanted = append(wanted, v.names()...)
		}
		for _, w := range wanted {
			if !strings.Contains(got.out, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
		for line := range strings.Lines(got.out) {
			if len([]rune(line)) > 100 {
				t.Errorf("%s: a long line: %s", lang, line)
			}
		}
		for _, command := range [][]string{{"register", "--help"}, {"manifest", "--help"}, {"--help"}} {
			if got := runProgram(t, nil, append([]string{"--lang", lang}, command...)...); got.code != exitOK || !strings.Contains(got.out, "timonier "+command[0]) && len(command) > 1 || !strings.Contains(got.out, "--lang fr|en") {
				t.Errorf("%v: %+v", command, got)
			}
		}
	}
	if got := runProgram(t, nil, "--help"); !strings.Contains(got.out, "timonier serve --help") {
		t.Errorf("got %+v", got)
	}
}

func TestSubcommandFlags(t *testing.T) {
	tests := []struct {
		args []string
		want []string
	}{
		{[]string{"serve", "--token=" + someToken}, []string{"--token"}},
		{[]string{"serve", "--listen"}, []string{"--listen"}},
		{[]string{"serve", "--lang", "klingon"}, []string{"klingon"}},
		{[]string{"serve", "now"}, []string{"now"}},
		{[]string{"serve", "--listen", "8080"}, []string{"--listen", "8080"}},
		{[]string{"serve", "--listen", ":http"}, []string{"--listen"}},
		{[]string{"serve", "--listen", ":99999"}, []string{"--listen"}},
		{[]string{"serve", "--admin", "nowhere"}, []string{"--admin"}},
		{[]string{"serve", "--admin", "127.0.0.1:8080"}, []string{"--admin"}},
		{[]string{"serve", "--log", "xml"}, []string{"--log", "xml", "json"}},
		{[]string{"serve", "--log-level", "loud"}, []string{"--log-level", "debug"}},
		{[]string{"serve", "--most", "0"}, []string{"--most"}},
		{[]string{"serve", "--most", "many"}, []string{"--most", "many"}},
		{[]string{"register", "--guild", "ours"}, []string{"--guild", "ours"}},
		{[]string{"register", "now"}, []string{"now"}},
		{[]string{"register"}, []string{discordToken, "Developer Portal"}},
		{[]string{"manifest"}, []string{"timonier manifest slack"}},
		{[]string{"manifest", "discord"}, []string{"discord"}},
		{[]string{"manifest", "slack", "more"}, []string{"more"}},
		{[]string{"manifest", "slack", "--url", "http://timonier.example.com"}, []string{"--url", "https://"}},
		{[]string{"--lang", "en", "manifest", "slack", "--url", "here"}, []string{"wants"}},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			refusedInOneLine(t, runProgram(t, []string{"HOME=" + t.TempDir()}, test.args...), test.want...)
		})
	}
	if got := runProgram(t, []string{"LANG=en"}, "serve"); got.code != exitFailed || !strings.Contains(got.errors, "--data") {
		t.Errorf("no home: %+v", got)
	}
}
