package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"strings"
)

// register is the subcommand: Discord's list of commands is made the same as ours.
func register(ctx context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	dry := flags.Bool("dry-run", false, "")
	guild := flags.String("guild", "", "")
	config := flags.String("config", "", "")
	say, _, code, ok := in.parse(flags, func(say voice) string { return say.word("register.usage") })
	if !ok {
		return code
	}
	if flags.NArg() > 0 {
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)}))
	}
	if *guild != "" && !isNumber(*guild) {
		return in.refuse(say.sentence("serve.badvalue", map[string]any{"Option": "--guild", "Value": *guild, "Expected": "1234567890"}))
	}
	got, err := readValues(say, in.env, configPath(*config, in.env))
	if err != nil {
		return in.refuse(err.Error())
	}
	if *guild != "" {
		got[discordGuild] = *guild
	}
	if !got.has(discordToken) {
		about := say.word("setting.discordtoken")
		return in.refuse(say.sentence("setting.missing", map[string]any{"Given": "register", "Name": discordToken, "About": about}))
	}
	_, _ = dry, fmt.Sprint
	return exitOK
}

// manifest is the subcommand: the app's manifest for Slack.
func manifest(_ context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	base := flags.String("url", "", "")
	// The platform's name comes first, as it does in the help; the flags follow.
	name := ""
	if len(in.args) > 0 && !strings.HasPrefix(in.args[0], "-") {
		name, in.args = in.args[0], in.args[1:]
	}
	say, lang, code, ok := in.parse(flags, func(say voice) string { return say.word("manifest.usage") })
	if !ok {
		return code
	}
	words := flags.Args()
	if name == "" && len(words) > 0 {
		name, words = words[0], words[1:]
	}
	if name == "slack" && len(words) > 0 {
		name = words[0]
	}
	if name == "" {
		return in.refuse(say.word("manifest.which"))
	}
	if name != "slack" {
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": name}))
	}
	if u, err := url.Parse(*base); *base != "" && (err != nil || !isBase(*base) || u.Scheme != "https") {
		return in.refuse(say.word("manifest.badurl"))
	}
	_ = lang
	return exitOK
}
