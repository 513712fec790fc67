package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// The settings, by the names that they have in the environment and in a configuration file.
const (
	discordToken   = "TIMONIER_DISCORD_TOKEN"
	discordApp     = "TIMONIER_DISCORD_APP_ID"
	discordKey     = "TIMONIER_DISCORD_PUBLIC_KEY"
	discordGuild   = "TIMONIER_DISCORD_GUILD"
	discordShards  = "TIMONIER_DISCORD_SHARDS"
	discordRoles   = "TIMONIER_DISCORD_TEACHER_ROLES"
	discordURL     = "TIMONIER_DISCORD_API_URL"
	slackBot       = "TIMONIER_SLACK_BOT_TOKEN"
	slackApp       = "TIMONIER_SLACK_APP_TOKEN"
	slackSigning   = "TIMONIER_SLACK_SIGNING_SECRET"
	slackTeachers  = "TIMONIER_SLACK_TEACHERS"
	slackURL       = "TIMONIER_SLACK_API_URL"
	kubectlURL     = "TIMONIER_KUBECTL_URL"
	kubectlCert    = "TIMONIER_KUBECTL_CERT"
	kubectlKey     = "TIMONIER_KUBECTL_KEY"
	configVariable = "TIMONIER_CONFIG" // of the environment alone: where the file is
)

// variable is one setting of the environment or of a configuration file.
type variable struct {
	name   string
	secret bool                    // it may also stand in a file of its own, which NAME_FILE names
	about  string                  // ID of the sentence that says what it looks like and where to get it
	fits   func(value string) bool // whether it is well formed
	needs  []string                // of no use without one of these; the first is the one to ask for
}

// variables is the table of all settings, in the order in which they are explained.
func variables() []variable {
	discord := []string{discordToken, discordKey}
	app := []string{discordApp}
	slack := []string{slackBot}
	return []variable{
		{discordToken, true, "setting.discordtoken", regexp.MustCompile(`^[A-Za-z0-9._~=-]{1,1000}$`).MatchString, app},
		{discordApp, false, "setting.discordapp", isNumber, discord},
		{discordKey, false, "setting.discordkey", regexp.MustCompile(`^[0-9A-Fa-f]{64}$`).MatchString, app},
		{discordGuild, false, "setting.discordguild", isNumber, discord},
		{discordShards, false, "setting.discordshards", isShards, discord},
		{discordRoles, false, "setting.discordroles", listOf(isNumber), discord},
		{discordURL, false, "setting.discordurl", isBase, discord},
		{slackBot, true, "setting.slackbot", isToken("xoxb-"), []string{slackApp, slackSigning}},
		{slackApp, true, "setting.slackapp", isToken("xapp-"), slack},
		{slackSigning, true, "setting.slacksigning", isPlain, slack},
		{slackTeachers, false, "setting.slackteachers", listOf(regexp.MustCompile(`^[UW][0-9A-Z]+$`).MatchString), slack},
		{slackURL, false, "setting.slackurl", isBase, slack},
		{kubectlURL, false, "setting.kubectlurl", isSecureBase, nil},
		{kubectlCert, false, "setting.kubectlcert", isPath, []string{kubectlKey}},
		{kubectlKey, false, "setting.kubectlkey", isPath, []string{kubectlCert}},
	}
}

// isPlain is a text of printable ASCII without blanks, as fits into a header.
func isPlain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isPath is a text that may name a file.
func isPath(s string) bool { return s != "" && !strings.ContainsRune(s, 0) }

func isToken(prefix string) func(string) bool {
	return func(s string) bool { return isPlain(s) && strings.HasPrefix(s, prefix) && s != prefix }
}

// isNumber is an ID of Discord: a snowflake, in decimal; 64 bits have 20 digits at most.
func isNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n > 0 && len(s) <= 20
}

// mostShards is far above what a bot of 2,500 guilds a shard will ever need.
const mostShards = 4096

func isShards(s string) bool {
	n, err := strconv.Atoi(s)
	return s == "auto" || err == nil && n >= 1 && n <= mostShards
}

func isBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isPlain(s) && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func listOf(fits func(string) bool) func(string) bool {
	return func(s string) bool {
		return !slices.ContainsFunc(strings.Split(s, ","), func(one string) bool { return !fits(strings.TrimSpace(one)) })
	}
}

// values are settings that fit, by name. One that is not there was not given.
type values map[string]string

func (v values) has(name string) bool { return v[name] != "" }

// list is a setting that holds several, between commas.
func (v values) list(name string) []string {
	if !v.has(name) {
		return nil
	}
	all := strings.Split(v[name], ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// number is a setting that holds a number; 0 where it does not, as auto.
func (v values) number(name string) int {
	n, _ := strconv.Atoi(v[name])
	return n
}

// secrets are the values that nobody may read.
func (v values) secrets() []string {
	var all []string
	for _, known := range variables() {
		if known.secret && v.has(known.name) {
			all = append(all, v[known.name])
		}
	}
	return all
}

// source is one place in which settings stand: the environment, or the file.
type source map[string]string

// readValues gathers the settings of the environment and, where there is one, of a
// configuration file. The environment wins. An error is one line for the person, which holds
// no value: it may be a secret, even where none was expected.
func readValues(say voice, env []string, path string) (values, error) {
	got, _, errs := readAllValues(say, env, path)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return got, nil
}

// readAllValues goes on where something is wrong: with an error for each, and the names of the settings that do not fit.
func readAllValues(say voice, env []string, path string) (got values, bad []string, errs []error) {
	here := source{}
	for _, known := range variables() {
		for _, name := range known.names() {
			here[name] = lookup(env, name)
		}
	}
	sources := []source{here}
	if path != "" {
		there, err := readConfig(say, path)
		if err != nil {
			errs = append(errs, err)
		}
		sources = append(sources, there)
	}
	got = values{}
	for _, known := range variables() {
		for _, from := range sources {
			value, err := from.read(say, known)
			if err != nil {
				bad, errs = append(bad, known.name), append(errs, err)
				break
			}
			if value != "" {
				got[known.name] = value
				break
			}
		}
	}
	return got, bad, errs
}

// names are those under which a setting may be given.
func (v variable) names() []string {
	if v.secret {
		return []string{v.name, v.name + "_FILE"}
	}
	return []string{v.name}
}

// read finds a setting in one place; "" where it is not there.
func (s source) read(say voice, known variable) (string, error) {
	value := s[known.name]
	if from := known.name + "_FILE"; known.secret && s[from] != "" {
		if value != "" {
			return "", errors.New(say.sentence("setting.twice", map[string]any{"Name": known.name, "Other": from}))
		}
		var err error
		if value, err = readSecret(s[from]); err != nil {
			return "", errors.New(say.sentence("setting.nosecret", map[string]any{"Name": from, "Error": reason(err)}))
		}
	}
	if value != "" && !known.fits(value) {
		return "", errors.New(say.sentence("setting.malformed", map[string]any{"Name": known.name, "About": say.word(known.about)}))
	}
	return value, nil
}

// longestSetting bounds what is read of a file, in bytes.
const longestSetting = 64 << 10

var errEmpty = errors.New("empty file")

// readSecret reads a file that holds one secret, as a container's platform mounts it.
func readSecret(path string) (string, error) {
	data, err := readSmall(path)
	if err != nil {
		return "", err
	}
	secret := string(bytes.TrimRight(data, "\r\n"))
	if secret == "" {
		return "", errEmpty
	}
	return secret, nil
}

var errTooLong = errors.New("file too long")

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longestSetting+1))
	if err == nil && len(data) > longestSetting {
		err = errTooLong
	}
	return data, err
}

// reason is an error without the path, which the person may have taken for the place of a secret.
func reason(err error) error {
	var system *fs.PathError
	if errors.As(err, &system) {
		return system.Err
	}
	return err
}

// complete says whether each setting that is there has those that it needs.
func (v values) complete(say voice) error {
	if errs := v.missing(say); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// missing is an error for each setting without one that it needs, and where there is no platform.
func (v values) missing(say voice) (errs []error) {
	abouts := map[string]string{}
	for _, known := range variables() {
		abouts[known.name] = say.word(known.about)
	}
	for _, known := range variables() {
		if !v.has(known.name) || len(known.needs) == 0 || slices.ContainsFunc(known.needs, v.has) {
			continue
		}
		missing := known.needs[0]
		errs = append(errs, errors.New(say.sentence("setting.missing", map[string]any{"Given": known.name, "Name": missing, "About": abouts[missing]})))
	}
	if len(errs) == 0 && !v.has(discordToken) && !v.has(discordKey) && !v.has(slackBot) {
		errs = append(errs, errors.New(say.sentence("setting.none", map[string]any{
			"Discord": discordToken, "AboutDiscord": abouts[discordToken], "Slack": slackBot, "AboutSlack": abouts[slackBot]})))
	}
	return errs
}

// openToOthers says whether everyone on this machine may read a file.
func openToOthers(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0
}

// configPath is where the configuration file is; "" where there is none.
func configPath(flag string, env []string) string { return cmp.Or(flag, lookup(env, configVariable)) }
