package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"timonier/bot"
	"timonier/bot/discord"
	"timonier/bot/slack"
)

// register is the subcommand: Discord's list of commands is made the same as ours.
func register(ctx context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	dry := flags.Bool("dry-run", false, "")
	guild := flags.String("guild", "", "")
	config := flags.String("config", "", "")
	say, lang, code, ok := in.parse(flags, func(say voice) string { return say.word("register.usage") })
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
	for _, needed := range []struct{ name, about string }{{discordToken, "setting.discordtoken"}, {discordApp, "setting.discordapp"}} {
		if !got.has(needed.name) {
			return in.refuse(say.sentence("register.missing", map[string]any{"Name": needed.name, "About": say.word(needed.about)}))
		}
	}
	hide := newRedactor(got.secrets())
	logger := slog.New(hide.handler(slog.NewTextHandler(in.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	cfg := discordConfig(got, shared{tutor: bot.New(bot.Config{}), logger: logger})
	cfg.Locale = lang
	changes, err := discord.Register(ctx, cfg, *dry, in.stdout)
	if err != nil {
		return in.fail(hide.text(say.sentence("register.failed", map[string]any{"Error": oneLine(err)})))
	}
	switch {
	case changes == 0:
		fmt.Fprintln(in.stdout, say.word("register.same"))
	case *dry:
		fmt.Fprintln(in.stdout, say.word("register.dry"))
	default:
		fmt.Fprintln(in.stdout, say.word("register.done"))
	}
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
	if u, err := url.Parse(*base); *base != "" && (err != nil || !isBase(*base) || u.Scheme != "https" || slices.Contains(strings.Split(u.Path, "/"), "slack")) {
		return in.refuse(say.word("manifest.badurl"))
	}
	text, err := slack.Manifest(bot.New(bot.Config{}).Say, slack.ManifestOptions{Locale: lang, URL: *base})
	if err == nil {
		_, err = in.stdout.Write(text)
	}
	if err != nil {
		return in.fail(say.sentence("manifest.failed", map[string]any{"Error": oneLine(err)}))
	}
	return exitOK
}
